package io.blockqueue

import java.nio.file.Path
import java.time.Duration
import java.time.Instant
import java.util.concurrent.CompletableFuture
import java.util.function.Consumer
import java.util.function.Function
import kotlin.time.toKotlinDuration
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.future.future
import kotlinx.coroutines.runBlocking

/**
 * The queue for Java: each method waits on the calling thread, and those whose names end in `Async` return a
 * [CompletableFuture] instead.
 *
 * Interrupting the thread, or cancelling the future, of a claim gives back what it got. `null` means the default where
 * an argument may be left out. Failures are [BlockQueueException]s, in futures as the cause.
 *
 * Futures, which hold no thread, are there for what programs do all the time: publish, claim, settle, and wait for results.
 * For the rest there is `CompletableFuture.supplyAsync(() -> queue.topics(null, null))`.
 */
public class JavaQueue(
    /** The same queue as Kotlin has it. */
    public val queue: Queue,
) : AutoCloseable {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)

    private fun <T> wait(call: suspend () -> T): T = runBlocking { call() }

    private fun <T> later(call: suspend () -> T): CompletableFuture<T> = scope.future { call() }

    private fun done(call: suspend () -> Unit): CompletableFuture<Void?> = later {
        call()
        null
    }

    /** Finishes what was handed over, ends waiting claims with [ShutdownException], and closes the file. */
    public fun shutdown(): Unit = wait { queue.shutdown() }

    /** As [shutdown]; workers that run end with it. */
    override fun close() {
        shutdown()
        scope.cancel()
    }

    // --- topics and subscribers -----------------------------------------------------------------------

    /** Creates a topic with subscribers that have default settings. */
    public fun createTopic(topic: String, vararg subscribers: String): Topic =
        wait { queue.createTopic(topic, *subscribers) }

    /** Creates a topic, perhaps with subscribers, in one transaction. */
    public fun createTopic(topic: String, settings: TopicSettings, subscribers: List<NewSubscriber>): Topic =
        wait { queue.createTopic(topic, settings, subscribers) }

    /** A topic by name. */
    public fun topic(topic: String): Topic = wait { queue.topic(topic) }

    /** The topics, by name. */
    public fun topics(limit: Int?, after: String?): Page<Topic> = wait { queue.topics(limit, after) }

    /** Changes the settings of a topic. */
    public fun updateTopic(topic: String, settings: TopicSettings): Topic = wait { queue.updateTopic(topic, settings) }

    /** Deletes a topic with its subscribers and messages. */
    public fun deleteTopic(topic: String): Unit = wait { queue.deleteTopic(topic) }

    /** Stops claims on every subscriber of the topic. */
    public fun pauseTopic(topic: String): Unit = wait { queue.pauseTopic(topic) }

    /** Lets claims go on. */
    public fun resumeTopic(topic: String): Unit = wait { queue.resumeTopic(topic) }

    /** Creates subscribers of a topic: all or none. */
    public fun createSubscribers(topic: String, subscribers: List<NewSubscriber>): List<Subscriber> =
        wait { queue.createSubscribers(topic, subscribers) }

    /** A subscriber by name. */
    public fun subscriber(topic: String, subscriber: String): Subscriber = wait { queue.subscriber(topic, subscriber) }

    /** The subscribers of a topic, by name. */
    public fun subscribers(topic: String, limit: Int?, after: String?): Page<Subscriber> =
        wait { queue.subscribers(topic, limit, after) }

    /** Changes the settings of a subscriber. */
    public fun updateSubscriber(topic: String, subscriber: String, settings: SubscriberSettings): Subscriber =
        wait { queue.updateSubscriber(topic, subscriber, settings) }

    /** Deletes a subscriber with its deliveries. */
    public fun deleteSubscriber(topic: String, subscriber: String): Unit =
        wait { queue.deleteSubscriber(topic, subscriber) }

    /** Stops claims on the subscriber. */
    public fun pauseSubscriber(topic: String, subscriber: String): Unit =
        wait { queue.pauseSubscriber(topic, subscriber) }

    /** Lets claims go on. */
    public fun resumeSubscriber(topic: String, subscriber: String): Unit =
        wait { queue.resumeSubscriber(topic, subscriber) }

    /** Moves a subscriber to another place of its topic. */
    public fun seek(topic: String, subscriber: String, to: SeekTo, dryRun: Boolean): Sought =
        wait { queue.seek(topic, subscriber, to, dryRun) }

    // --- publish --------------------------------------------------------------------------------------

    /** Publishes 1 to 1,000 messages, all or none, in order: by far the cheapest way. */
    public fun publishBatch(topic: String, messages: List<Message>): List<Published> =
        wait { queue.publishBatch(topic, messages) }

    /** As [publishBatch]. */
    public fun publishBatchAsync(topic: String, messages: List<Message>): CompletableFuture<List<Published>> =
        later { queue.publishBatch(topic, messages) }

    /** Publishes a message. It is durable when this returns. */
    public fun publish(topic: String, message: Message): Published = wait { queue.publish(topic, message) }

    /** As [publish]. */
    public fun publishAsync(topic: String, message: Message): CompletableFuture<Published> =
        later { queue.publish(topic, message) }

    // --- claim and settle -----------------------------------------------------------------------------

    /** Leases deliveries, at most [limit], waiting up to [wait], for as long as [lease]. */
    @JvmOverloads
    public fun claim(
        topic: String,
        subscriber: String,
        limit: Int? = null,
        wait: Duration = Duration.ZERO,
        lease: Duration? = null,
    ): List<Delivery> =
        wait { queue.claim(topic, subscriber, limit, wait.toKotlinDuration(), lease?.toKotlinDuration()) }

    /** As [claim]. */
    @JvmOverloads
    public fun claimAsync(
        topic: String,
        subscriber: String,
        limit: Int? = null,
        wait: Duration = Duration.ZERO,
        lease: Duration? = null,
    ): CompletableFuture<List<Delivery>> =
        later { queue.claim(topic, subscriber, limit, wait.toKotlinDuration(), lease?.toKotlinDuration()) }

    /** Leases deliveries of the first of these subscribers that has any. */
    public fun claimAny(sources: List<Source>, limit: Int?, wait: Duration, lease: Duration?): List<Delivery> =
        wait { queue.claimAny(sources, limit, wait.toKotlinDuration(), lease?.toKotlinDuration()) }

    /** As [claimAny]. */
    public fun claimAnyAsync(
        sources: List<Source>,
        limit: Int?,
        wait: Duration,
        lease: Duration?,
    ): CompletableFuture<List<Delivery>> =
        later { queue.claimAny(sources, limit, wait.toKotlinDuration(), lease?.toKotlinDuration()) }

    /** Settles up to 1,000 deliveries; for each `null`, or why it could not be. */
    public fun ackBatch(receipts: List<String>): List<BlockQueueException?> = wait { queue.ackBatch(receipts) }

    /** As [ackBatch]. */
    public fun ackBatchAsync(receipts: List<String>): CompletableFuture<List<BlockQueueException?>> =
        later { queue.ackBatch(receipts) }

    /** Settles a delivery: done. */
    public fun ack(delivery: Delivery): Unit = wait { delivery.ack() }

    /** As [ack]. */
    public fun ackAsync(delivery: Delivery): CompletableFuture<Void?> = done { delivery.ack() }

    /** Settles a delivery, done, and stores a reply. */
    public fun ackWithResult(delivery: Delivery, reply: Reply): Unit = wait { delivery.ackWithResult(reply) }

    /** As [ackWithResult]. */
    public fun ackWithResultAsync(delivery: Delivery, reply: Reply): CompletableFuture<Void?> =
        done { delivery.ackWithResult(reply) }

    /** Reports a failure: the delivery waits for its next attempt, or becomes a dead letter. */
    @JvmOverloads
    public fun nack(delivery: Delivery, error: String? = null, delay: Duration? = null, giveUp: Boolean = false): Nacked =
        wait { delivery.nack(error, delay?.toKotlinDuration(), giveUp) }

    /** As [nack]. */
    @JvmOverloads
    public fun nackAsync(
        delivery: Delivery,
        error: String? = null,
        delay: Duration? = null,
        giveUp: Boolean = false,
    ): CompletableFuture<Nacked> = later { delivery.nack(error, delay?.toKotlinDuration(), giveUp) }

    /** Reports up to 1,000 failures. */
    public fun nackBatch(nacks: List<Nack>): List<Outcome<Nacked>> = wait { queue.nackBatch(nacks) }

    /** As [nackBatch]. */
    public fun nackBatchAsync(nacks: List<Nack>): CompletableFuture<List<Outcome<Nacked>>> =
        later { queue.nackBatch(nacks) }

    /** Makes the lease last until this long after now; the answer is its new expiry. */
    public fun extend(delivery: Delivery, lease: Duration): Instant = wait { delivery.extend(lease.toKotlinDuration()) }

    /** As [extend]. */
    public fun extendAsync(delivery: Delivery, lease: Duration): CompletableFuture<Instant> =
        later { delivery.extend(lease.toKotlinDuration()) }

    /** Extends up to 1,000 leases. */
    public fun extendBatch(receipts: List<String>, lease: Duration): List<Outcome<Instant>> =
        wait { queue.extendBatch(receipts, lease.toKotlinDuration()) }

    /** As [extendBatch]. */
    public fun extendBatchAsync(receipts: List<String>, lease: Duration): CompletableFuture<List<Outcome<Instant>>> =
        later { queue.extendBatch(receipts, lease.toKotlinDuration()) }

    /** Puts a delivery back for this long. The attempt does not count. */
    public fun defer(delivery: Delivery, delay: Duration): Instant = wait { delivery.defer(delay.toKotlinDuration()) }

    /** As [defer]. */
    public fun deferAsync(delivery: Delivery, delay: Duration): CompletableFuture<Instant> =
        later { delivery.defer(delay.toKotlinDuration()) }

    /** Puts up to 1,000 deliveries back. */
    public fun deferBatch(deferrals: List<Deferral>): List<Outcome<Instant>> = wait { queue.deferBatch(deferrals) }

    /** As [deferBatch]. */
    public fun deferBatchAsync(deferrals: List<Deferral>): CompletableFuture<List<Outcome<Instant>>> =
        later { queue.deferBatch(deferrals) }

    /** Ends a leased delivery for good. */
    public fun cancel(delivery: Delivery, reason: String?): Unit = wait { delivery.cancel(reason) }

    /** As [cancel]. */
    public fun cancelAsync(delivery: Delivery, reason: String?): CompletableFuture<Void?> =
        done { delivery.cancel(reason) }

    /** Ends up to 1,000 leased deliveries for good. */
    public fun cancelBatch(receipts: List<String>, reason: String?): List<BlockQueueException?> =
        wait { queue.cancelBatch(receipts, reason) }

    /** As [cancelBatch]. */
    public fun cancelBatchAsync(receipts: List<String>, reason: String?): CompletableFuture<List<BlockQueueException?>> =
        later { queue.cancelBatch(receipts, reason) }

    /** Ends one message for one subscriber, without a receipt. */
    public fun cancelDelivery(topic: String, subscriber: String, messageId: String, reason: String?): Unit =
        wait { queue.cancelDelivery(topic, subscriber, messageId, reason) }

    /** Ends one message for every subscriber. */
    public fun cancelMessage(topic: String, messageId: String): List<DeliveryStatus> =
        wait { queue.cancelMessage(topic, messageId) }

    /** What came of a message for one subscriber, waiting up to [wait] until there is something. */
    public fun result(topic: String, subscriber: String, messageId: String, wait: Duration): DeliveryResult =
        wait { queue.result(topic, subscriber, messageId, wait.toKotlinDuration()) }

    /** As [result]. */
    public fun resultAsync(
        topic: String,
        subscriber: String,
        messageId: String,
        wait: Duration,
    ): CompletableFuture<DeliveryResult> =
        later { queue.result(topic, subscriber, messageId, wait.toKotlinDuration()) }

    /**
     * Handles the deliveries of a subscriber, up to [concurrency] at once, on threads for waiting. Closing the answer
     * drains it: it returns when the handlers have returned.
     */
    public fun worker(
        topic: String,
        subscriber: String,
        concurrency: Int,
        handler: Consumer<Delivery>,
    ): AutoCloseable {
        val own = CoroutineScope(SupervisorJob() + Dispatchers.IO.limitedParallelism(maxOf(concurrency, 1)))
        val worker = queue.worker(own, topic, subscriber, concurrency) { handler.accept(it) }
        return AutoCloseable { wait { worker.drain() } }
    }

    // --- dead letters ---------------------------------------------------------------------------------

    /** The dead letters of a subscriber, oldest first. */
    public fun deadLetters(topic: String, subscriber: String, limit: Int?, after: String?): Page<DeadLetter> =
        wait { queue.deadLetters(topic, subscriber, limit, after) }

    /** Gives dead letters all their attempts again; the answer is how many. */
    @JvmOverloads
    public fun redrive(
        topic: String,
        subscriber: String,
        which: DeadLetters = DeadLetters.All,
        filter: String? = null,
        to: String? = null,
        rate: Double? = null,
        dryRun: Boolean = false,
    ): Long = wait { queue.redrive(topic, subscriber, which, filter, to, rate, dryRun) }

    /** Deletes dead letters, or only counts them; the answer is how many. */
    @JvmOverloads
    public fun purgeDeadLetters(
        topic: String,
        subscriber: String,
        which: DeadLetters = DeadLetters.All,
        filter: String? = null,
        dryRun: Boolean = false,
    ): Long = wait { queue.purgeDeadLetters(topic, subscriber, which, filter, dryRun) }

    /** What went wrong with a delivery so far, oldest first. */
    public fun failures(
        topic: String,
        subscriber: String,
        messageId: String,
        limit: Int?,
        after: String?,
    ): Page<Failure> = wait { queue.failures(topic, subscriber, messageId, limit, after) }

    // --- schedules ------------------------------------------------------------------------------------

    /** Creates a schedule: publishes a message to the topic again and again. */
    public fun createSchedule(topic: String, schedule: String, options: ScheduleOptions): Schedule =
        wait { queue.createSchedule(topic, schedule, options) }

    /** A schedule by name. */
    public fun schedule(topic: String, schedule: String): Schedule = wait { queue.schedule(topic, schedule) }

    /** The schedules of a topic, by name. */
    public fun schedules(topic: String, limit: Int?, after: String?): Page<Schedule> =
        wait { queue.schedules(topic, limit, after) }

    /** Changes the settings of a schedule as a whole, if nobody has changed them since that version. */
    public fun updateSchedule(topic: String, schedule: String, version: Long, options: ScheduleOptions): Schedule =
        wait { queue.updateSchedule(topic, schedule, version, options) }

    /** Deletes a schedule with its history. */
    public fun deleteSchedule(topic: String, schedule: String): Unit = wait { queue.deleteSchedule(topic, schedule) }

    /** Stops a schedule. */
    public fun pauseSchedule(topic: String, schedule: String): Unit = wait { queue.pauseSchedule(topic, schedule) }

    /** Lets a schedule go on. */
    public fun resumeSchedule(topic: String, schedule: String): Unit = wait { queue.resumeSchedule(topic, schedule) }

    /** Publishes the message of a schedule now. */
    public fun runScheduleNow(topic: String, schedule: String): ScheduleRun =
        wait { queue.runScheduleNow(topic, schedule) }

    /** What became of the occurrences of a schedule, newest first. */
    public fun scheduleRuns(topic: String, schedule: String, limit: Int?, after: String?): Page<ScheduleRun> =
        wait { queue.scheduleRuns(topic, schedule, limit, after) }

    // --- looking --------------------------------------------------------------------------------------

    /** A topic and its subscribers in numbers. */
    public fun topicStats(topic: String): TopicStats = wait { queue.topicStats(topic) }

    /** A subscriber in numbers. */
    public fun subscriberStats(topic: String, subscriber: String): SubscriberStats =
        wait { queue.subscriberStats(topic, subscriber) }

    /** Deliveries in flight, then pending ones, without leasing them. */
    public fun peek(topic: String, subscriber: String, limit: Int?, after: String?): Page<Peeked> =
        wait { queue.peek(topic, subscriber, limit, after) }

    /** A message by its id, with its state for every subscriber. */
    public fun message(topic: String, messageId: String): MessageStatus = wait { queue.message(topic, messageId) }

    /** What the engine of this process has done, and the size of the file. */
    public fun engineStats(): EngineStats = wait { queue.engineStats() }

    /** Writes a consistent, verified copy of the queue as of now to a new file. */
    public fun backup(to: Path): Unit = wait { queue.backup(to) }

    /** Examines the file. */
    public fun diagnose(): Diagnosis = wait { queue.diagnose() }

    // --- transactions ---------------------------------------------------------------------------------

    /**
     * Runs [block] on this thread, in a transaction for statements of yours and verbs of the queue: all of it happens,
     * or nothing.
     *
     * It is committed when the block returns, and rolled back when it throws, is interrupted, or lasts longer than
     * [deadline], by default 5 s. Everybody else who writes to the file waits for it: in the block use the transaction
     * and not the queue.
     */
    @JvmOverloads
    public fun <T> transaction(deadline: Duration? = null, block: Function<JavaTransaction, T>): T =
        wait { queue.transaction(deadline?.toKotlinDuration()) { block.apply(JavaTransaction(it)) } }

    /** Where queues come from. */
    public companion object {
        /** Opens the queue in this file, and creates the file if there is none. */
        @JvmStatic
        @JvmOverloads
        public fun open(path: String, options: OpenOptions = OpenOptions()): JavaQueue =
            JavaQueue(Queue.openBlocking(path, options))
    }
}

package io.blockqueue

import java.nio.file.Path
import java.time.Instant
import kotlin.io.path.pathString
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import io.blockqueue.internal.ClaimOptions as NativeClaimOptions
import io.blockqueue.internal.Deferral as NativeDeferral
import io.blockqueue.internal.Nack as NativeNack
import io.blockqueue.internal.NackOutcome as NativeNackOutcome
import io.blockqueue.internal.Page as NativePage
import io.blockqueue.internal.PendingClaim as NativePendingClaim
import io.blockqueue.internal.Problem as NativeProblem
import io.blockqueue.internal.Purge as NativePurge
import io.blockqueue.internal.Queue as NativeQueue
import io.blockqueue.internal.Redrive as NativeRedrive
import io.blockqueue.internal.Source as NativeSource
import io.blockqueue.internal.TestClock as NativeTestClock
import io.blockqueue.internal.TimeOutcome as NativeTimeOutcome

/**
 * A handle to an open queue. Any thread and any coroutine may use it.
 *
 * No suspending function holds a thread while it waits. A call that is cancelled is carried out all the same once it
 * was handed over, except for a claim: what it got, or would get, is given back at once. Every failure is a
 * [BlockQueueException].
 *
 * Java uses [JavaQueue].
 */
public class Queue internal constructor(private val native: NativeQueue) : AutoCloseable {
    // --- life -----------------------------------------------------------------------------------------

    /**
     * Finishes what was handed over, ends waiting claims with [ShutdownException], and closes the file. Later calls
     * throw [ShutdownException]; a second shutdown succeeds.
     */
    public suspend fun shutdown(): Unit = awaited { native.shutdown() }

    /** [shutdown], while this thread waits. */
    override fun close(): Unit = runBlocking { shutdown() }

    // --- topics ---------------------------------------------------------------------------------------

    /** Creates a topic, perhaps with subscribers, in one transaction. */
    public suspend fun createTopic(
        topic: String,
        settings: TopicSettings = TopicSettings(),
        subscribers: List<NewSubscriber> = emptyList(),
    ): Topic =
        awaited { native.createTopic(topic, settings.toNative(), subscribers.map { it.toNative() }) }.toKotlin()

    /** Creates a topic with subscribers that have default settings. */
    public suspend fun createTopic(topic: String, vararg subscribers: String): Topic =
        createTopic(topic, subscribers = subscribers.map { NewSubscriber(it) })

    /** A topic by name. */
    public suspend fun topic(topic: String): Topic = awaited { native.topic(topic) }.toKotlin()

    /** The topics, by name. */
    public suspend fun topics(limit: Int? = null, after: String? = null): Page<Topic> =
        awaited { native.topics(page(limit, after)) }.let { page -> Page(page.items.map { it.toKotlin() }, page.next) }

    /** Changes the settings of a topic. */
    public suspend fun updateTopic(topic: String, settings: TopicSettings): Topic =
        awaited { native.updateTopic(topic, settings.toNative()) }.toKotlin()

    /** Deletes a topic with its subscribers and messages. The name is free at once; receipts are lost. */
    public suspend fun deleteTopic(topic: String): Unit = awaited { native.deleteTopic(topic) }

    /** Stops claims on every subscriber of the topic: they wait as on an empty topic. Publishing goes on. */
    public suspend fun pauseTopic(topic: String): Unit = awaited { native.pauseTopic(topic) }

    /** Lets claims go on. */
    public suspend fun resumeTopic(topic: String): Unit = awaited { native.resumeTopic(topic) }

    // --- subscribers ----------------------------------------------------------------------------------

    /** Creates a subscriber of a topic. */
    public suspend fun createSubscriber(topic: String, subscriber: NewSubscriber): Subscriber =
        createSubscribers(topic, listOf(subscriber)).single()

    /** Creates up to 1,000 subscribers of a topic: all or none. */
    public suspend fun createSubscribers(topic: String, subscribers: List<NewSubscriber>): List<Subscriber> =
        awaited { native.createSubscribers(topic, subscribers.map { it.toNative() }) }.map { it.toKotlin() }

    /** A subscriber by name. */
    public suspend fun subscriber(topic: String, subscriber: String): Subscriber =
        awaited { native.subscriber(topic, subscriber) }.toKotlin()

    /** The subscribers of a topic, by name. */
    public suspend fun subscribers(topic: String, limit: Int? = null, after: String? = null): Page<Subscriber> =
        awaited { native.subscribers(topic, page(limit, after)) }
            .let { page -> Page(page.items.map { it.toKotlin() }, page.next) }

    /** Changes the settings of a subscriber. */
    public suspend fun updateSubscriber(topic: String, subscriber: String, settings: SubscriberSettings): Subscriber =
        awaited { native.updateSubscriber(topic, subscriber, settings.toNative()) }.toKotlin()

    /** Deletes a subscriber with its deliveries. The name is free at once; receipts are lost. */
    public suspend fun deleteSubscriber(topic: String, subscriber: String): Unit =
        awaited { native.deleteSubscriber(topic, subscriber) }

    /** Stops claims on the subscriber: they wait as on an empty topic. */
    public suspend fun pauseSubscriber(topic: String, subscriber: String): Unit =
        awaited { native.pauseSubscriber(topic, subscriber) }

    /** Lets claims go on. */
    public suspend fun resumeSubscriber(topic: String, subscriber: String): Unit =
        awaited { native.resumeSubscriber(topic, subscriber) }

    /**
     * Moves a subscriber to another place of its topic. Its leased and retrying deliveries end and their receipts are
     * lost. A dry run only tells what it would do.
     */
    public suspend fun seek(topic: String, subscriber: String, to: SeekTo, dryRun: Boolean = false): Sought =
        awaited { native.seek(topic, subscriber, to.toNative(), dryRun) }.toKotlin()

    // --- publish --------------------------------------------------------------------------------------

    /** Publishes 1 to 1,000 messages, all or none, in order: by far the cheapest way. The error of one names its index. */
    public suspend fun publishBatch(topic: String, messages: List<Message>): List<Published> =
        awaited { native.publishBatch(topic, messages.map { it.toNative() }) }.map { it.toKotlin() }

    /** Publishes a message. It is durable when this returns. */
    public suspend fun publish(topic: String, message: Message): Published =
        awaited { native.publish(topic, message.toNative()) }.toKotlin()

    /** Publishes a text. */
    public suspend fun publish(topic: String, text: String): Published = publish(topic, Message(text))

    // --- claim and settle -----------------------------------------------------------------------------

    /**
     * Leases deliveries of one subscriber to the caller; an empty list if there is nothing in time.
     *
     * At most [limit], waiting up to [wait], for as long as [lease]; by default as the subscriber says, and without
     * waiting.
     */
    public suspend fun claim(
        topic: String,
        subscriber: String,
        limit: Int? = null,
        wait: Duration = Duration.ZERO,
        lease: Duration? = null,
    ): List<Delivery> = claimed { native.claim(topic, subscriber, claimOptions(limit, wait, lease)) }

    /**
     * Leases deliveries of the first of these subscribers that has any, up to 100 of them. An earlier one may starve
     * a later one.
     */
    public suspend fun claimAny(
        sources: List<Source>,
        limit: Int? = null,
        wait: Duration = Duration.ZERO,
        lease: Duration? = null,
    ): List<Delivery> = claimed {
        native.claimAny(sources.map { NativeSource(it.topic, it.subscriber) }, claimOptions(limit, wait, lease))
    }

    private suspend inline fun claimed(start: () -> NativePendingClaim): List<Delivery> =
        taken(native { start() })

    /** What is not taken is given back when the claim is destroyed. */
    private suspend fun taken(claim: NativePendingClaim, stop: ClaimStop? = null): List<Delivery> = try {
        stop?.begin(claim)
        awaited { claim.ready() }
        native { claim.take() }.map { Delivery(this, it) }
    } finally {
        stop?.end()
        claim.destroy()
    }

    /** A claim that [stop] may end from elsewhere: it answers with nothing then. */
    internal suspend fun claim(source: Source, limit: Int, wait: Duration, lease: Duration, stop: ClaimStop): List<Delivery> =
        taken(native { native.claim(source.topic, source.subscriber, claimOptions(limit, wait, lease)) }, stop)

    /** Settles up to 1,000 deliveries; for each `null`, or why it could not be. */
    public suspend fun ackBatch(receipts: List<String>): List<BlockQueueException?> =
        awaited { native.ackBatch(receipts) }.map { it?.toException() }

    /** Settles a delivery: done. */
    public suspend fun ack(receipt: String): Unit = awaited { native.ack(receipt) }

    /** Settles a delivery, done, and stores a reply for whoever waits for the message's result. */
    public suspend fun ackWithResult(receipt: String, reply: Reply): Unit =
        awaited { native.ackWithResult(receipt, reply.toNative()) }

    /** Reports a failure: the delivery waits for its next attempt, or becomes a dead letter. */
    public suspend fun nack(
        receipt: String,
        error: String? = null,
        delay: Duration? = null,
        giveUp: Boolean = false,
    ): Nacked = awaited { native.nack(receipt, Nack(receipt, error, delay, giveUp).options()) }.toKotlin()

    /** Reports up to 1,000 failures; for each what it led to, or why it could not be. */
    public suspend fun nackBatch(nacks: List<Nack>): List<Outcome<Nacked>> =
        awaited { native.nackBatch(nacks.map { NativeNack(it.receipt, it.options()) }) }.map { outcome ->
            when (outcome) {
                is NativeNackOutcome.Done -> Outcome.Done(outcome.nacked.toKotlin())
                is NativeNackOutcome.Refused -> refused(outcome.problem)
            }
        }

    /** Makes the lease last until this long after now; the answer is its new expiry. */
    public suspend fun extend(receipt: String, lease: Duration): Instant =
        at(awaited { native.extend(receipt, lease.toMs()) })

    /** Extends up to 1,000 leases; for each its new expiry, or why it could not be. */
    public suspend fun extendBatch(receipts: List<String>, lease: Duration): List<Outcome<Instant>> =
        awaited { native.extendBatch(receipts, lease.toMs()) }.map(::time)

    /** Puts a delivery back for this long; the answer is when it is ready. The attempt does not count. */
    public suspend fun defer(receipt: String, delay: Duration = Duration.ZERO): Instant =
        at(awaited { native.defer(receipt, delay.toMs()) })

    /** Puts up to 1,000 deliveries back; for each when it is ready, or why it could not be. */
    public suspend fun deferBatch(deferrals: List<Deferral>): List<Outcome<Instant>> =
        awaited { native.deferBatch(deferrals.map { NativeDeferral(it.receipt, it.delay.toMs()) }) }.map(::time)

    /** Ends a leased delivery for good, as if it had been acked, and keeps the reason with its failures. */
    public suspend fun cancel(receipt: String, reason: String? = null): Unit =
        awaited { native.cancel(receipt, reason) }

    /** Ends up to 1,000 leased deliveries for good; for each `null`, or why it could not be. */
    public suspend fun cancelBatch(receipts: List<String>, reason: String? = null): List<BlockQueueException?> =
        awaited { native.cancelBatch(receipts, reason) }.map { it?.toException() }

    /** Ends one message for one subscriber, whatever its state, without a receipt. */
    public suspend fun cancelDelivery(
        topic: String,
        subscriber: String,
        messageId: String,
        reason: String? = null,
    ): Unit = awaited { native.cancelDelivery(topic, subscriber, messageId, reason) }

    /** Ends one message for every subscriber, also before its time; the answer is where it stood with each. */
    public suspend fun cancelMessage(topic: String, messageId: String): List<DeliveryStatus> =
        awaited { native.cancelMessage(topic, messageId) }.map { it.toKotlin() }

    /** What came of a message for one subscriber, waiting up to [wait] until there is something. */
    public suspend fun result(
        topic: String,
        subscriber: String,
        messageId: String,
        wait: Duration = Duration.ZERO,
    ): DeliveryResult {
        if (wait == Duration.ZERO) return awaited { native.result(topic, subscriber, messageId) }.toKotlin()
        val pending = native { native.waitResult(topic, subscriber, messageId, wait.toMs()) }
        return try {
            awaited { pending.wait() }.toKotlin()
        } finally {
            pending.destroy()
        }
    }

    // --- dead letters ---------------------------------------------------------------------------------

    /** The dead letters of a subscriber, oldest first. */
    public suspend fun deadLetters(
        topic: String,
        subscriber: String,
        limit: Int? = null,
        after: String? = null,
    ): Page<DeadLetter> = awaited { native.deadLetters(topic, subscriber, page(limit, after)) }
        .let { page -> Page(page.items.map { it.toKotlin() }, page.next) }

    /**
     * Gives dead letters all their attempts again; the answer is how many.
     *
     * [filter], as JSON, leaves those alone whose headers do not match; [to] publishes them to another topic instead;
     * [rate] lets at most so many a second fall due; a dry run only counts.
     */
    public suspend fun redrive(
        topic: String,
        subscriber: String,
        which: DeadLetters = DeadLetters.All,
        filter: String? = null,
        to: String? = null,
        rate: Double? = null,
        dryRun: Boolean = false,
    ): Long = awaited { native.redrive(topic, subscriber, NativeRedrive(which.toNative(), filter, to, rate, dryRun)) }

    /** Deletes dead letters, chosen as in [redrive], or only counts them; the answer is how many. */
    public suspend fun purgeDeadLetters(
        topic: String,
        subscriber: String,
        which: DeadLetters = DeadLetters.All,
        filter: String? = null,
        dryRun: Boolean = false,
    ): Long = awaited { native.purgeDeadLetters(topic, subscriber, NativePurge(which.toNative(), filter, dryRun)) }

    /** What went wrong with a delivery so far, oldest first. */
    public suspend fun failures(
        topic: String,
        subscriber: String,
        messageId: String,
        limit: Int? = null,
        after: String? = null,
    ): Page<Failure> = awaited { native.failures(topic, subscriber, messageId, page(limit, after)) }
        .let { page -> Page(page.items.map { it.toKotlin() }, page.next) }

    // --- schedules ------------------------------------------------------------------------------------

    /** Creates a schedule: publishes a message to the topic again and again. */
    public suspend fun createSchedule(topic: String, schedule: String, options: ScheduleOptions): Schedule =
        awaited { native.createSchedule(topic, schedule, options.toNative()) }.toKotlin()

    /** A schedule by name. */
    public suspend fun schedule(topic: String, schedule: String): Schedule =
        awaited { native.schedule(topic, schedule) }.toKotlin()

    /** The schedules of a topic, by name. */
    public suspend fun schedules(topic: String, limit: Int? = null, after: String? = null): Page<Schedule> =
        awaited { native.schedules(topic, page(limit, after)) }
            .let { page -> Page(page.items.map { it.toKotlin() }, page.next) }

    /** Changes the settings of a schedule as a whole, if nobody has changed them since that version. */
    public suspend fun updateSchedule(
        topic: String,
        schedule: String,
        version: Long,
        options: ScheduleOptions,
    ): Schedule = awaited { native.updateSchedule(topic, schedule, version, options.toNative()) }.toKotlin()

    /** Deletes a schedule with its history. The messages that it published stay. */
    public suspend fun deleteSchedule(topic: String, schedule: String): Unit =
        awaited { native.deleteSchedule(topic, schedule) }

    /** Stops a schedule. Occurrences that come meanwhile are left out and not counted as missed. */
    public suspend fun pauseSchedule(topic: String, schedule: String): Unit =
        awaited { native.pauseSchedule(topic, schedule) }

    /** Lets a schedule go on, with the first occurrence after now. */
    public suspend fun resumeSchedule(topic: String, schedule: String): Unit =
        awaited { native.resumeSchedule(topic, schedule) }

    /** Publishes the message of a schedule now, also while it is paused. */
    public suspend fun runScheduleNow(topic: String, schedule: String): ScheduleRun =
        awaited { native.runScheduleNow(topic, schedule) }.toKotlin()

    /** What became of the occurrences of a schedule, newest first. */
    public suspend fun scheduleRuns(
        topic: String,
        schedule: String,
        limit: Int? = null,
        after: String? = null,
    ): Page<ScheduleRun> = awaited { native.scheduleRuns(topic, schedule, page(limit, after)) }
        .let { page -> Page(page.items.map { it.toKotlin() }, page.next) }

    // --- looking --------------------------------------------------------------------------------------

    /** A topic and its subscribers in numbers. */
    public suspend fun topicStats(topic: String): TopicStats = awaited { native.topicStats(topic) }.toKotlin()

    /** A subscriber in numbers. */
    public suspend fun subscriberStats(topic: String, subscriber: String): SubscriberStats =
        awaited { native.subscriberStats(topic, subscriber) }.toKotlin()

    /** Deliveries in flight, then pending ones, without leasing them; a page ends at 16 MiB. */
    public suspend fun peek(
        topic: String,
        subscriber: String,
        limit: Int? = null,
        after: String? = null,
    ): Page<Peeked> = awaited { native.peek(topic, subscriber, page(limit, after)) }
        .let { page -> Page(page.items.map { it.toKotlin() }, page.next) }

    /** A message by its id, with its state for every subscriber. */
    public suspend fun message(topic: String, messageId: String): MessageStatus =
        awaited { native.message(topic, messageId) }.toKotlin()

    /** What the engine of this process has done, and the size of the file. */
    public suspend fun engineStats(): EngineStats =
        withContext(Dispatchers.IO) { native { native.engineStats() } }.toKotlin()

    /**
     * Writes a consistent, verified copy of the queue as of now to a new file. Work goes on; [progress] is told several
     * times a second how far it is.
     */
    public suspend fun backup(to: Path, progress: ((BackupProgress) -> Unit)? = null): Unit = coroutineScope {
        val backup = native { native.backup(to.pathString) }
        val told = progress?.let {
            launch {
                while (true) {
                    it(backup.progress().let { now -> BackupProgress(now.bytesDone, now.bytesTotal) })
                    delay(PROGRESS)
                }
            }
        }
        try {
            awaited { backup.wait() }
            progress?.invoke(backup.progress().let { end -> BackupProgress(end.bytesDone, end.bytesTotal) })
        } finally {
            told?.cancel()
            backup.destroy()
        }
    }

    /** Examines the file: integrity, counters, sizes. Reads all of it; changes nothing. */
    public suspend fun diagnose(): Diagnosis = awaited { native.diagnose() }.toKotlin()

    // --- transactions ---------------------------------------------------------------------------------

    /**
     * Runs [block] in a transaction for statements of yours and verbs of the queue: all of it happens, or nothing.
     *
     * It is committed when the block returns, and rolled back when it throws, is cancelled, or lasts longer than
     * [deadline], by default 5 s. Everybody else who writes to the file waits for it: in the block use the transaction
     * and not the queue.
     */
    public suspend fun <T> transaction(deadline: Duration? = null, block: suspend (Transaction) -> T): T {
        val native = native { native.transaction(deadline?.toMs()) }
        try {
            awaited { native.begin() }
            val result = block(Transaction(native))
            awaited { native.commit() }
            return result
        } finally {
            native.destroy()
        }
    }

    /** Where queues come from. */
    public companion object {
        private val PROGRESS = 200.milliseconds

        /**
         * Opens the queue in this file, and creates the file if there is none; `:memory:` is a queue that lives and
         * dies with this handle.
         */
        public suspend fun open(path: String, options: OpenOptions = OpenOptions()): Queue =
            withContext(Dispatchers.IO) { openBlocking(path, options) }

        /** Opens the queue in this file. */
        public suspend fun open(path: Path, options: OpenOptions = OpenOptions()): Queue =
            open(path.pathString, options)

        /** [open], while this thread waits. */
        @JvmStatic
        @JvmOverloads
        public fun openBlocking(path: String, options: OpenOptions = OpenOptions()): Queue =
            Queue(native { NativeQueue.open(path, options.toNative()) })

        /** With a clock that a test moves. Only builds for tests of the native library have one. */
        internal fun openWithClock(path: String, clock: NativeTestClock): Queue =
            Queue(native { NativeQueue.openWithClock(path, OpenOptions().toNative(), clock) })
    }
}

private fun page(limit: Int?, after: String?) = NativePage(limit?.toLong(), after)

private fun claimOptions(limit: Int?, wait: Duration, lease: Duration?) =
    NativeClaimOptions(limit?.toLong(), wait.toMs(), lease?.toMs())

private fun refused(problem: NativeProblem) = Outcome.Refused(problem.toException())

private fun time(outcome: NativeTimeOutcome): Outcome<Instant> = when (outcome) {
    is NativeTimeOutcome.Done -> Outcome.Done(at(outcome.atMs))
    is NativeTimeOutcome.Refused -> refused(outcome.problem)
}

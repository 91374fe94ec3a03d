package io.blockqueue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The queue as Java uses it. */
class JavaQueueTest {
    private static JavaQueue open() {
        JavaQueue queue = JavaQueue.open(":memory:");
        queue.createTopic("orders", "email");
        return queue;
    }

    @Test
    void blockingMethodsDoTheWork() {
        try (JavaQueue queue = open()) {
            queue.publishBatch("orders", List.of(new Message("a"), new Message(new byte[] {1, 2})));
            List<Delivery> claimed = queue.claim("orders", "email", 10, Duration.ofSeconds(1));
            assertEquals("a", claimed.get(0).text());
            queue.defer(claimed.get(0), Duration.ZERO);
            queue.ack(queue.claim("orders", "email").get(0));
            Nacked nacked = queue.nack(claimed.get(1), "broken", null, true);
            assertEquals(DeliveryState.DEAD_LETTERED, nacked.getState());
            assertEquals(1, queue.redrive("orders", "email"));
            LeaseLostException lost =
                    assertThrows(LeaseLostException.class, () -> queue.ack(claimed.get(0)));
            assertEquals("lease_lost", lost.getCode());
            assertEquals(Retry.NEVER, lost.getRetry());
        }
    }

    @Test
    void settingsAreChosenWithMethods() {
        try (JavaQueue queue = open()) {
            SubscriberSettings settings =
                    new SubscriberSettings().withMaxAttempts(2).withLease(Duration.ofMinutes(1)).withOrdered(true);
            TopicSettings topic =
                    new TopicSettings().withRetention(Retention.forDuration(Duration.ofHours(1)));
            queue.createTopic("refunds", topic, List.of(new NewSubscriber("audit", settings)));
            SubscriberOptions options = queue.subscriber("refunds", "audit").getOptions();
            assertEquals(2, options.getMaxAttempts());
            assertTrue(options.getOrdered());
            Message message = new Message("late").delayed(Duration.ofDays(1)).withHeader("type", "refund");
            assertTrue(queue.publish("refunds", message).getDeliverAt() != null);
            assertTrue(queue.claim("refunds", "audit").isEmpty());
        }
    }

    @Test
    void futuresCompleteAndCarryErrors() throws Exception {
        try (JavaQueue queue = open()) {
            var waiting = queue.claimAsync("orders", "email", 1, Duration.ofMinutes(1));
            String id = queue.publishAsync("orders", new Message("a")).get(10, TimeUnit.SECONDS).getId();
            Delivery delivery = waiting.get(10, TimeUnit.SECONDS).get(0);
            assertEquals(id, delivery.getMessageId());
            queue.ackAsync(delivery).get(10, TimeUnit.SECONDS);
            var refused = queue.publishAsync("nowhere", new Message("a"));
            var error = assertThrows(ExecutionException.class, () -> refused.get(10, TimeUnit.SECONDS));
            assertInstanceOf(UnknownTopicException.class, error.getCause());
        }
    }

    @Test
    void futuresSettle() throws Exception {
        try (JavaQueue queue = open()) {
            queue.publishBatch("orders", List.of(new Message("a"), new Message("b"), new Message("c")));
            List<Delivery> claimed =
                    queue.claimAnyAsync(List.of(new Source("orders", "email")), 3, Duration.ZERO, null)
                            .get(10, TimeUnit.SECONDS);
            assertTrue(queue.extendAsync(claimed.get(0), Duration.ofHours(1)).get(10, TimeUnit.SECONDS)
                    .isAfter(claimed.get(0).getLeaseExpiresAt()));
            Nacked nacked = queue.nackAsync(claimed.get(0), "broken", null, true).get(10, TimeUnit.SECONDS);
            assertEquals(DeliveryState.DEAD_LETTERED, nacked.getState());
            queue.deferAsync(claimed.get(1), Duration.ofDays(1)).get(10, TimeUnit.SECONDS);
            queue.cancelAsync(claimed.get(2), "not needed").get(10, TimeUnit.SECONDS);
            var lost = queue.cancelBatchAsync(List.of(claimed.get(0).getReceipt()), null).get(10, TimeUnit.SECONDS);
            assertInstanceOf(LeaseLostException.class, lost.get(0));
            SubscriberStats stats = queue.subscriberStats("orders", "email");
            assertEquals(1, stats.getDeadCount());
            assertEquals(0, stats.getLeasedCount());
        }
    }

    @Test
    void aTransactionIsCommittedWhole() {
        try (JavaQueue queue = open()) {
            queue.publish("orders", new Message("order 1"));
            Delivery delivery = queue.claim("orders", "email").get(0);
            Published published = queue.transaction(transaction -> {
                transaction.execute("CREATE TABLE invoice (id INTEGER, what TEXT)");
                transaction.execute("INSERT INTO invoice VALUES (?, ?)", 42, "tea");
                transaction.ack(delivery.getReceipt());
                return transaction.publish("orders", new Message("order 42"));
            });
            assertEquals(published.getId(), queue.claim("orders", "email").get(0).getMessageId());
            assertEquals(
                    List.of(Map.of("id", 42L, "what", "tea")),
                    queue.transaction(transaction -> transaction.query("SELECT * FROM invoice")));
        }
    }

    @Test
    void aTransactionThatThrowsLeavesNothing() {
        try (JavaQueue queue = open()) {
            var thrown = assertThrows(IllegalStateException.class, () -> queue.transaction(transaction -> {
                transaction.publish("orders", new Message("order 42"));
                throw new IllegalStateException("no tea left");
            }));
            assertEquals("no tea left", thrown.getMessage());
            assertTrue(queue.claim("orders", "email").isEmpty());
        }
    }

    @Test
    void aCancelledFutureGivesBackWhatItClaims() {
        try (JavaQueue queue = open()) {
            var waiting = queue.claimAsync("orders", "email", 1, Duration.ofMinutes(1));
            while (queue.engineStats().getWaitingClaims() == 0) {
                Thread.onSpinWait();
            }
            waiting.cancel(true);
            queue.publish("orders", new Message("a"));
            assertEquals(1, queue.claim("orders", "email", 1, Duration.ofSeconds(10)).size());
        }
    }

    @Test
    void anInterruptedThreadGivesBackWhatItClaims() throws Exception {
        try (JavaQueue queue = open()) {
            Set<Throwable> ends = ConcurrentHashMap.newKeySet();
            Thread thread = new Thread(() -> {
                try {
                    queue.claim("orders", "email", 1, Duration.ofMinutes(1));
                } catch (Throwable end) {
                    ends.add(end);
                }
            });
            thread.start();
            while (queue.engineStats().getWaitingClaims() == 0) {
                Thread.onSpinWait();
            }
            thread.interrupt();
            thread.join();
            assertInstanceOf(InterruptedException.class, ends.iterator().next());
            queue.publish("orders", new Message("a"));
            assertEquals(1, queue.claim("orders", "email", 1, Duration.ofSeconds(10)).size());
        }
    }

    @Test
    void aWorkerHandlesAndDrains() throws Exception {
        try (JavaQueue queue = open()) {
            Set<String> seen = ConcurrentHashMap.newKeySet();
            CountDownLatch all = new CountDownLatch(20);
            try (AutoCloseable worker = queue.worker("orders", "email", 4, delivery -> {
                seen.add(delivery.text());
                all.countDown();
            })) {
                for (int each = 0; each < 20; each++) {
                    queue.publish("orders", new Message("" + each));
                }
                assertTrue(all.await(30, TimeUnit.SECONDS));
            }
            assertEquals(20, seen.size());
            assertEquals(20, queue.subscriberStats("orders", "email").getAckedCount());
        }
    }
}

<?php

declare(strict_types=1);

namespace BlockQueue\Tests\Conformance;

use BlockQueue\BacklogLimit;
use BlockQueue\BacklogPolicy;
use BlockQueue\DeadLetters;
use BlockQueue\Message;
use BlockQueue\Misfire;
use BlockQueue\Nack;
use BlockQueue\NewSubscriber;
use BlockQueue\OnDead;
use BlockQueue\OnExpiry;
use BlockQueue\OverlapPolicy;
use BlockQueue\Place;
use BlockQueue\Queue;
use BlockQueue\RateLimit;
use BlockQueue\Retention;
use BlockQueue\RetryPolicy;
use BlockQueue\ScheduleOptions;
use BlockQueue\Setting;
use BlockQueue\Start;
use BlockQueue\SubscriberOptions;
use BlockQueue\TopicOptions;

/** One call of this package for each operation of the scripts. */
final class Operations
{
    /** @param array<string, mixed> $given */
    public static function call(Queue $queue, string $word, array $given): mixed
    {
        $topic = $given['topic'] ?? '';
        $subscriber = $given['subscriber'] ?? '';
        $schedule = $given['schedule'] ?? '';
        $id = $given['message_id'] ?? '';
        $receipt = $given['receipt'] ?? '';
        $page = array_intersect_key($given, ['limit' => 1, 'after' => 1]);
        $seconds = static fn (string $name): ?float => self::seconds($given[$name] ?? null);
        return match ($word) {
            'create_topic' => $queue->createTopic(
                $topic,
                self::subscribers($given['subscribers'] ?? []),
                self::topic($given['options'] ?? []),
            ),
            'topic' => $queue->topic($topic),
            'topics' => $queue->topics(...$page),
            'update_topic' => $queue->updateTopic($topic, self::topic($given['options'])),
            'delete_topic' => $queue->deleteTopic($topic),
            'pause_topic' => $queue->pauseTopic($topic),
            'resume_topic' => $queue->resumeTopic($topic),
            'create_subscribers' => $queue->createSubscribers($topic, self::subscribers($given['subscribers'])),
            'subscriber' => $queue->subscriber($topic, $subscriber),
            'subscribers' => $queue->subscribers($topic, ...$page),
            'update_subscriber' => $queue->updateSubscriber($topic, $subscriber, self::subscriber($given['options'])),
            'delete_subscriber' => $queue->deleteSubscriber($topic, $subscriber),
            'pause_subscriber' => $queue->pauseSubscriber($topic, $subscriber),
            'resume_subscriber' => $queue->resumeSubscriber($topic, $subscriber),
            'seek' => $queue->seek($topic, $subscriber, self::place($given['to']), $given['dry_run'] ?? false),
            'publish' => $queue->publish($topic, self::message($given['message'])),
            'publish_batch' => $queue->publishMany($topic, array_map(self::message(...), $given['messages'])),
            'claim' => $queue->claim(
                $topic,
                $subscriber,
                $given['limit'] ?? null,
                $seconds('wait_ms') ?? 0.0,
                $seconds('lease_ms'),
            ),
            'claim_any' => $queue->claimAny(
                array_map(static fn (array $each): array => [$each['topic'], $each['subscriber']], $given['sources']),
                $given['limit'] ?? null,
                $seconds('wait_ms') ?? 0.0,
                $seconds('lease_ms'),
            ),
            'ack' => isset($given['result']) ? self::reply($queue, $receipt, $given['result']) : $queue->ack($receipt),
            'result' => $queue->result($topic, $subscriber, $id, $seconds('wait_ms') ?? 0.0),
            'ack_batch' => $queue->ackMany($given['receipts']),
            'nack' => $queue->nack(
                $receipt,
                $given['error_text'] ?? null,
                $seconds('delay_ms'),
                $given['give_up'] ?? false,
            ),
            'nack_batch' => $queue->nackMany(array_map(self::nack(...), $given['items'])),
            'extend' => $queue->extend($receipt, (float) $seconds('lease_ms')),
            'extend_batch' => $queue->extendMany($given['receipts'], (float) $seconds('lease_ms')),
            'defer' => $queue->defer($receipt, (float) $seconds('delay_ms')),
            'defer_batch' => $queue->deferMany(
                array_column($given['items'], 'receipt'),
                array_map(static fn (array $item): float => $item['delay_ms'] / 1000, $given['items']),
            ),
            'cancel' => $queue->cancel($receipt, $given['reason'] ?? null),
            'cancel_batch' => $queue->cancelMany($given['receipts'], $given['reason'] ?? null),
            'cancel_delivery' => $queue->cancelDelivery($topic, $subscriber, $id, $given['reason'] ?? null),
            'cancel_message' => $queue->cancelMessage($topic, $id),
            'dead_letters' => $queue->deadLetters($topic, $subscriber, ...$page),
            'redrive' => $queue->redrive(
                $topic,
                $subscriber,
                self::which($given),
                $given['to'] ?? null,
                $given['rate'] ?? null,
                $given['filter'] ?? null,
                $given['dry_run'] ?? false,
            ),
            'purge_dead_letters' => $queue->purgeDeadLetters(
                $topic,
                $subscriber,
                self::which($given),
                $given['filter'] ?? null,
                $given['dry_run'] ?? false,
            ),
            'failures' => $queue->failures($topic, $subscriber, $id, ...$page),
            'topic_stats' => $queue->topicStats($topic),
            'subscriber_stats' => $queue->subscriberStats($topic, $subscriber),
            'peek' => $queue->peek($topic, $subscriber, ...$page),
            'message' => $queue->message($topic, $id),
            'create_schedule' => $queue->createSchedule($topic, $schedule, self::schedule($given['options'])),
            'schedule' => $queue->schedule($topic, $schedule),
            'schedules' => $queue->schedules($topic, ...$page),
            'update_schedule' => $queue->updateSchedule(
                $topic,
                $schedule,
                $given['version'],
                self::schedule($given['options']),
            ),
            'delete_schedule' => $queue->deleteSchedule($topic, $schedule),
            'pause_schedule' => $queue->pauseSchedule($topic, $schedule),
            'resume_schedule' => $queue->resumeSchedule($topic, $schedule),
            'run_schedule_now' => $queue->runScheduleNow($topic, $schedule),
            'schedule_runs' => $queue->scheduleRuns($topic, $schedule, ...$page),
            'shutdown' => $queue->shutdown(),
            default => throw new \LogicException("no operation {$word}"),
        };
    }

    private static function seconds(int|float|null $ms): ?float
    {
        return $ms === null ? null : $ms / 1000;
    }

    private static function instant(int $ms): \DateTimeImmutable
    {
        return \BlockQueue\Native\Time::instant($ms + Face::START_MS);
    }

    private static function setting(mixed $value): mixed
    {
        return $value === 'none' ? Setting::None : $value;
    }

    /** @param array<string, mixed> $given */
    private static function message(array $given): Message
    {
        return new Message(
            isset($given['payload_base64'])
                ? (string) base64_decode($given['payload_base64'], true)
                : $given['payload'] ?? '',
            $given['content_type'] ?? null,
            $given['headers'] ?? [],
            $given['correlation_id'] ?? null,
            $given['idempotency_key'] ?? null,
            $given['ordering_key'] ?? null,
            $given['unique_key'] ?? null,
            $given['priority'] ?? 0,
            self::seconds($given['delay_ms'] ?? null),
            isset($given['deliver_at']) ? self::instant($given['deliver_at']) : null,
            self::seconds($given['ttl_ms'] ?? null),
        );
    }

    /** @param array<string, mixed> $given */
    private static function topic(array $given): TopicOptions
    {
        $limit = $given['backlog_limit'] ?? null;
        $ttl = $given['ttl_ms'] ?? null;
        return new TopicOptions(
            isset($given['retention']) ? self::retention($given['retention']) : null,
            $limit === null ? null : new BacklogLimit(
                $limit['messages'] ?? null,
                $limit['bytes'] ?? null,
                self::seconds($limit['age_ms'] ?? null),
                BacklogPolicy::from($limit['policy'] ?? 'refuse'),
            ),
            self::seconds($given['idempotency_window_ms'] ?? null),
            $ttl === 'none' ? Setting::None : self::seconds($ttl),
        );
    }

    private static function retention(mixed $given): Retention
    {
        return match (true) {
            isset($given['duration_ms']) => Retention::seconds($given['duration_ms'] / 1000),
            isset($given['count']) => Retention::count($given['count']),
            isset($given['bytes']) => Retention::bytes($given['bytes']),
            default => Retention::none(),
        };
    }

    /**
     * @param list<array<string, mixed>> $given
     * @return list<NewSubscriber>
     */
    private static function subscribers(array $given): array
    {
        return array_map(static fn (array $each): NewSubscriber => new NewSubscriber(
            $each['name'],
            self::subscriber($each['options'] ?? []),
            match (true) {
                !isset($each['start']) => null,
                is_array($each['start']) => self::instant($each['start']['at']),
                default => Start::from($each['start']),
            },
        ), $given);
    }

    /** @param array<string, mixed> $given */
    private static function subscriber(array $given): SubscriberOptions
    {
        $rate = $given['rate'] ?? null;
        $retry = $given['retry'] ?? null;
        return new SubscriberOptions(
            maxAttempts: $given['max_attempts'] ?? null,
            lease: self::seconds($given['lease_ms'] ?? null),
            claimLimit: $given['claim_limit'] ?? null,
            retry: $retry === null ? null : new RetryPolicy(
                self::seconds($retry['initial_ms'] ?? 1000),
                self::seconds($retry['max_ms'] ?? 3_600_000),
                (float) ($retry['multiplier'] ?? 2),
                (float) ($retry['jitter'] ?? 0.2),
            ),
            ordered: $given['ordered'] ?? null,
            onDead: isset($given['on_dead']) ? OnDead::from($given['on_dead']) : null,
            filter: self::setting($given['filter'] ?? null),
            onExpiry: isset($given['on_expiry']) ? OnExpiry::from($given['on_expiry']) : null,
            leasedMax: self::setting($given['leased_max'] ?? null),
            rate: is_array($rate) ? new RateLimit($rate['count'], $rate['interval_ms'] / 1000) : self::setting($rate),
            leasedPerKeyMax: self::setting($given['leased_per_key_max'] ?? null),
        );
    }

    /** @param array<string, mixed> $given */
    private static function schedule(array $given): ScheduleOptions
    {
        $misfire = $given['misfire'] ?? null;
        return new ScheduleOptions(
            $given['cron'],
            self::message($given['message'] ?? []),
            $given['timezone'] ?? 'UTC',
            match (true) {
                $misfire === null => null,
                is_array($misfire) => Misfire::all($misfire['all']),
                $misfire === 'skip' => Misfire::skip(),
                default => Misfire::once(),
            },
            OverlapPolicy::from($given['overlap'] ?? 'skip'),
            isset($given['start_at']) ? self::instant($given['start_at']) : null,
            isset($given['end_at']) ? self::instant($given['end_at']) : null,
            self::seconds($given['jitter_ms'] ?? 0),
            self::seconds($given['grace_ms'] ?? null),
        );
    }

    private static function place(mixed $to): Place|\DateTimeInterface
    {
        return match (true) {
            isset($to['at']) => self::instant($to['at']),
            isset($to['message_id']) => Place::message($to['message_id']),
            isset($to['sequence']) => Place::sequence(...array_reverse($to['sequence'])),
            $to === 'earliest' => Place::earliest(),
            default => Place::latest(),
        };
    }

    /** @param array<string, mixed> $given */
    private static function which(array $given): DeadLetters
    {
        $which = $given['which'];
        return match (true) {
            isset($which['oldest']) => DeadLetters::oldest($which['oldest']),
            isset($which['ids']) => DeadLetters::ids(...$which['ids']),
            default => DeadLetters::all(),
        };
    }

    /** @param array<string, mixed> $given */
    private static function nack(array $given): Nack
    {
        return new Nack(
            $given['receipt'],
            $given['error_text'] ?? null,
            self::seconds($given['delay_ms'] ?? null),
            $given['give_up'] ?? false,
        );
    }

    /** @param array<string, mixed> $given */
    private static function reply(Queue $queue, string $receipt, array $given): void
    {
        $reply = self::message($given);
        $queue->ackWithResult($receipt, $reply->payload, $reply->contentType, $reply->ttl);
    }
}

<?php

declare(strict_types=1);

namespace BlockQueue\Queue;

use BlockQueue\DeliveryStatus;
use BlockQueue\MessageStatus;
use BlockQueue\Native\Ids;
use BlockQueue\Native\Json;
use BlockQueue\Native\Time;
use BlockQueue\Native\Waiting;
use BlockQueue\Page;
use BlockQueue\Peeked;
use BlockQueue\Result;
use BlockQueue\SubscriberStats;
use BlockQueue\TopicStats;
use FFI;

/**
 * Looking at messages and at numbers, and ending messages without a receipt.
 *
 * @internal
 */
trait Looking
{
    /** A topic in numbers, with its subscribers. Costs the same whatever the backlog. */
    public function topicStats(string $topic): TopicStats
    {
        return TopicStats::from($this->ask('bq_topic_stats', $topic));
    }

    /** A subscriber in numbers. Costs the same whatever the backlog. */
    public function subscriberStats(string $topic, string $subscriber): SubscriberStats
    {
        return SubscriberStats::from($this->ask('bq_subscriber_stats', $topic, $subscriber));
    }

    /**
     * What the engine of this process has done since the queue was opened, by name.
     *
     * @return array<string, mixed>
     */
    public function stats(): array
    {
        return $this->ask('bq_queue_stats');
    }

    /**
     * Examines the file, and says what is wrong and what could be better. Reads all of the file.
     *
     * @return array<string, mixed>
     */
    public function diagnose(): array
    {
        return $this->ask('bq_queue_diagnose');
    }

    /**
     * A page of what the subscriber has before it or under way, without receipts. Changes nothing.
     *
     * @return Page<Peeked>
     */
    public function peek(string $topic, string $subscriber, int $limit = 100, ?string $after = null): Page
    {
        return Page::of(Peeked::from(...), $this->ask('bq_subscriber_peek', $topic, $subscriber, self::size($limit), $after));
    }

    /** A message and where it stands with every subscriber. */
    public function message(string $topic, string $messageId): MessageStatus
    {
        $id = Ids::parse($messageId);
        return MessageStatus::from($this->ask('bq_message_get', $topic, FFI::addr($id)));
    }

    /**
     * Ends a message for every subscriber, whatever its state, also before its time.
     *
     * @return list<DeliveryStatus> where it stood with each
     */
    public function cancelMessage(string $topic, string $messageId): array
    {
        $id = Ids::parse($messageId);
        return array_map(DeliveryStatus::from(...), array_values($this->ask('bq_message_cancel', $topic, FFI::addr($id))));
    }

    /** Ends a message for one subscriber, whatever its state, without a receipt. */
    public function cancelDelivery(string $topic, string $subscriber, string $messageId, ?string $reason = null): void
    {
        $id = Ids::parse($messageId);
        $this->tell('bq_delivery_cancel', $topic, $subscriber, FFI::addr($id), $reason);
    }

    /**
     * What came of a message for one subscriber.
     *
     * @param float $wait in seconds: how long to wait until it is settled. Signals of this process are handled meanwhile
     */
    public function result(string $topic, string $subscriber, string $messageId, float $wait = 0.0): Result
    {
        return $this->resultOf($this->startResult($topic, $subscriber, $messageId, $wait), $wait);
    }

    /** @internal a wait that goes on while the program does other things */
    public function startResult(string $topic, string $subscriber, string $messageId, float $wait): Waiting
    {
        $id = Ids::parse($messageId);
        return new Waiting($this->handle, fn (FFI\CData $completions, FFI\CData $error): int => $this->ffi
            ->bq_result_start(
                $this->handle,
                $topic,
                strlen($topic),
                $subscriber,
                strlen($subscriber),
                FFI::addr($id),
                Time::ms($wait),
                $completions,
                0,
                $error,
            ));
    }

    /** @internal */
    public function resultOf(Waiting $waiting, float $wait): Result
    {
        while (!$waiting->wait($wait + 1.0)) {
            continue;
        }
        $item = $waiting->completion();
        $text = $item->text;
        $item->text = null;
        return Result::from(Json::decode($this->library->take($text)));
    }
}

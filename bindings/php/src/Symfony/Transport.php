<?php

declare(strict_types=1);

namespace BlockQueue\Symfony;

use BlockQueue\BlockQueueException;
use BlockQueue\Delivery;
use BlockQueue\Message;
use BlockQueue\Queue;
use Symfony\Component\Messenger\Envelope;
use Symfony\Component\Messenger\Exception\LogicException;
use Symfony\Component\Messenger\Exception\MessageDecodingFailedException;
use Symfony\Component\Messenger\Exception\TransportException;
use Symfony\Component\Messenger\Stamp\DelayStamp;
use Symfony\Component\Messenger\Stamp\TransportMessageIdStamp;
use Symfony\Component\Messenger\Transport\Receiver\MessageCountAwareInterface;
use Symfony\Component\Messenger\Transport\Serialization\SerializerInterface;
use Symfony\Component\Messenger\Transport\TransportInterface;

/** One subscriber of one topic as a transport of Symfony Messenger. */
final class Transport implements TransportInterface, MessageCountAwareInterface
{
    /** @param float $wait how long, in seconds, get() waits for a message */
    public function __construct(
        private readonly Queue $queue,
        private readonly SerializerInterface $serializer,
        private readonly string $topic,
        private readonly string $subscriber,
        private readonly float $wait = 0.0,
    ) {
    }

    /** @return iterable<Envelope> */
    public function get(): iterable
    {
        $claim = fn (): array => $this->queue->claim($this->topic, $this->subscriber, 1, $this->wait);
        foreach ($this->attempt($claim) as $delivery) {
            $id = new TransportMessageIdStamp($delivery->messageId());
            try {
                $envelope = $this->serializer->decode(['body' => $delivery->payload, 'headers' => $delivery->headers]);
            } catch (MessageDecodingFailedException $error) {
                // Nobody will ever read it: it is kept for people.
                $delivery->nack($error, giveUp: true);
                throw $error;
            }
            yield $envelope->with($id, new DeliveryStamp($delivery));
        }
    }

    public function ack(Envelope $envelope): void
    {
        $this->attempt(static fn () => self::delivery($envelope)->ack());
    }

    /** Messenger has retried it elsewhere, or has given it up: it is done here. */
    public function reject(Envelope $envelope): void
    {
        $this->attempt(static fn () => self::delivery($envelope)->cancel('rejected'));
    }

    public function send(Envelope $envelope): Envelope
    {
        $encoded = $this->serializer->encode($envelope);
        $delay = $envelope->last(DelayStamp::class)?->getDelay();
        $message = new Message(
            $encoded['body'],
            headers: $encoded['headers'] ?? [],
            delay: $delay === null || $delay <= 0 ? null : $delay / 1000,
        );
        $published = $this->attempt(fn () => $this->queue->publish($this->topic, $message));
        return $envelope->with(new TransportMessageIdStamp($published->id));
    }

    public function getMessageCount(): int
    {
        $stats = $this->attempt(fn () => $this->queue->subscriberStats($this->topic, $this->subscriber));
        return $stats->pendingCount + $stats->retryingCount;
    }

    private static function delivery(Envelope $envelope): Delivery
    {
        $stamp = $envelope->last(DeliveryStamp::class);
        if (!$stamp instanceof DeliveryStamp) {
            throw new LogicException('the envelope did not come from this transport');
        }
        return $stamp->delivery;
    }

    /**
     * @template T
     * @param \Closure(): T $call
     * @return T
     */
    private function attempt(\Closure $call): mixed
    {
        try {
            return $call();
        } catch (BlockQueueException $error) {
            throw new TransportException($error->getMessage(), $error->getCode(), $error);
        }
    }
}

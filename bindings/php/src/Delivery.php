<?php

declare(strict_types=1);

namespace BlockQueue;

use BlockQueue\Native\Time;

/**
 * A message leased to this consumer. Settle it before the lease expires.
 *
 * It is a copy: it outlives the queue's answer, and its receipt may be used by another process.
 */
final class Delivery
{
    private ?string $receiptText = null;

    /**
     * @internal
     * @param array<string, string> $headers
     */
    public function __construct(
        private readonly Queue $queue,
        /** The receipt as the library has it. */
        private readonly string $receipt,
        private readonly string $id,
        public readonly string $topic,
        public readonly string $subscriber,
        /** The bytes that were published. */
        public readonly string $payload,
        public readonly ?string $contentType,
        public readonly array $headers,
        public readonly ?string $correlationId,
        public readonly ?string $orderingKey,
        public readonly int $priority,
        /** Which attempt this is, from 1. */
        public readonly int $attempt,
        /** Attempts that ended badly so far. */
        public readonly int $failures,
        private readonly int $publishedAtMs,
        private readonly int $expiresAtMs,
        private int $leaseExpiresAtMs,
    ) {
    }

    public function messageId(): string
    {
        return Native\Ids::text($this->id);
    }

    /** The right to settle this delivery, as text. */
    public function receipt(): string
    {
        return $this->receiptText ??= Native\Ids::receiptText($this->receipt);
    }

    /** @internal the receipt as the library has it */
    public function rawReceipt(): string
    {
        return $this->receipt;
    }

    /** When the message became deliverable. */
    public function publishedAt(): \DateTimeImmutable
    {
        return Time::instant($this->publishedAtMs);
    }

    /** When the message expires; null is never. A delivery that is leased by then may still be settled. */
    public function expiresAt(): ?\DateTimeImmutable
    {
        return $this->expiresAtMs === 0 ? null : Time::instant($this->expiresAtMs);
    }

    public function leaseExpiresAt(): \DateTimeImmutable
    {
        return Time::instant($this->leaseExpiresAtMs);
    }

    /**
     * The payload, read as JSON: objects become arrays.
     *
     * @throws \JsonException
     */
    public function json(): mixed
    {
        return json_decode($this->payload, true, 512, JSON_THROW_ON_ERROR);
    }

    /** What was published: JSON read again if the publisher said that it is, else the bytes. */
    public function content(): mixed
    {
        $type = $this->contentType ?? '';
        $isJson = preg_match('~^application/(json|[^;]+\+json)\s*(;|$)~i', $type) === 1;
        return $isJson ? $this->json() : $this->payload;
    }

    /**
     * Settles the delivery: done.
     *
     * @throws LeaseLostException if it belongs to somebody else by now
     */
    public function ack(): void
    {
        $this->queue->ack($this);
    }

    /** Reports a failure: the delivery waits for its next attempt, or becomes a dead letter. */
    public function nack(string|\Throwable|null $error = null, ?float $delay = null, bool $giveUp = false): Settled
    {
        return $this->queue->nack($this, $error, $delay, $giveUp);
    }

    /** Makes the lease last until this many seconds from now. */
    public function extend(float $lease): void
    {
        $expires = $this->queue->extend($this, $lease)->at();
        $this->leaseExpiresAtMs = $expires === null ? $this->leaseExpiresAtMs : Time::instantMs($expires);
    }

    /** Puts the delivery back for so many seconds; the attempt does not count. */
    public function defer(float $delay = 0.0): Settled
    {
        return $this->queue->defer($this, $delay);
    }

    /** Ends the delivery for good, as if it had been acked. */
    public function cancel(?string $reason = null): void
    {
        $this->queue->cancel($this, $reason);
    }
}

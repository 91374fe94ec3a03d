<?php

declare(strict_types=1);

namespace BlockQueue;

use BlockQueue\Native\Time;

/** A message as people look at it. */
final class MessageView
{
    /** @internal */
    public function __construct(
        public readonly string $id,
        /** The bytes that were published. */
        public readonly string $payload,
        public readonly ?string $contentType,
        /** @var array<string, string> */
        public readonly array $headers,
        public readonly ?string $correlationId,
        public readonly ?string $idempotencyKey,
        public readonly ?string $orderingKey,
        public readonly int $priority,
        public readonly \DateTimeImmutable $acceptedAt,
        /** When it became deliverable, or will. */
        public readonly \DateTimeImmutable $deliverAt,
        /** Null is never. */
        public readonly ?\DateTimeImmutable $expiresAt,
    ) {
    }

    /**
     * @internal
     * @param array<string, mixed> $json
     */
    public static function from(array $json): self
    {
        return new self(
            $json['id'],
            (string) base64_decode($json['payload_base64'], true),
            $json['content_type'],
            $json['headers'],
            $json['correlation_id'],
            $json['idempotency_key'],
            $json['ordering_key'],
            $json['priority'],
            Time::instant($json['accepted_at']),
            Time::instant($json['deliver_at']),
            Time::instantOrNull($json['expires_at']),
        );
    }
}

<?php

declare(strict_types=1);

namespace BlockQueue;

use BlockQueue\Native\Time;

/** What came of a message for one subscriber. */
final class Result
{
    /** @internal */
    public function __construct(
        public readonly ResultState $state,
        /** The reply, if there is one. */
        public readonly ?string $payload,
        public readonly ?string $contentType,
        public readonly ?\DateTimeImmutable $repliedAt,
        /** How long the reply is kept. */
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
            ResultState::from($json['state']),
            isset($json['payload_base64']) ? (string) base64_decode($json['payload_base64'], true) : null,
            $json['content_type'] ?? null,
            Time::instantOrNull($json['replied_at'] ?? null),
            Time::instantOrNull($json['expires_at'] ?? null),
        );
    }
}

<?php

declare(strict_types=1);

namespace BlockQueue;

/** A message that a subscriber has before it or under way. */
final class Peeked
{
    /** @internal */
    public function __construct(
        public readonly MessageView $message,
        public readonly DeliveryStatus $status,
    ) {
    }

    /**
     * @internal
     * @param array<string, mixed> $json
     */
    public static function from(array $json): self
    {
        return new self(
            MessageView::from($json['message']),
            DeliveryStatus::from($json['status']),
        );
    }
}

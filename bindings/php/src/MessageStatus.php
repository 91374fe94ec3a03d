<?php

declare(strict_types=1);

namespace BlockQueue;

/** A message and where it stands. */
final class MessageStatus
{
    /** @internal */
    public function __construct(
        public readonly MessageView $message,
        /** It waits for its time. */
        public readonly bool $delayed,
        /** @var list<DeliveryStatus> */
        public readonly array $deliveries,
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
            $json['delayed'],
            array_map(DeliveryStatus::from(...), $json['deliveries']),
        );
    }
}

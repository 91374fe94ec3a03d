<?php

declare(strict_types=1);

namespace BlockQueue;

use BlockQueue\Native\Time;

/** A subscriber to create. */
final class NewSubscriber
{
    public function __construct(
        public readonly string $name,
        public readonly SubscriberOptions $options = new SubscriberOptions(),
        /** With which message it begins: null is the next that is published. */
        public readonly Start|\DateTimeInterface|null $start = null,
    ) {
    }

    /** @return array<string, mixed> */
    public function toArray(): array
    {
        $start = match (true) {
            $this->start === null => Start::Now->value,
            $this->start instanceof Start => $this->start->value,
            default => ['at' => Time::instantMs($this->start)],
        };
        return ['name' => $this->name, 'options' => (object) $this->options->toArray(), 'start' => $start];
    }

    /**
     * @internal
     * @param iterable<NewSubscriber|string> $subscribers
     * @return list<array<string, mixed>>
     */
    public static function list(iterable $subscribers): array
    {
        $list = [];
        foreach ($subscribers as $subscriber) {
            $list[] = (is_string($subscriber) ? new self($subscriber) : $subscriber)->toArray();
        }
        return $list;
    }
}

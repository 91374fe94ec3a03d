<?php

declare(strict_types=1);

namespace BlockQueue;

/** A place of a topic, to which a subscriber can be moved. */
final class Place
{
    /** @param string|array<string, mixed> $json */
    private function __construct(private readonly string|array $json)
    {
    }

    /** The oldest message that the topic's retention keeps. */
    public static function earliest(): self
    {
        return new self('earliest');
    }

    /** Behind the newest message. */
    public static function latest(): self
    {
        return new self('latest');
    }

    public static function message(string $id): self
    {
        return new self(['message_id' => $id]);
    }

    /** The next message of this priority has a higher sequence number. */
    public static function sequence(int $sequence, int $priority = 0): self
    {
        return new self(['sequence' => ['priority' => $priority, 'sequence' => $sequence]]);
    }

    /**
     * @internal
     * @return string|array<string, mixed>
     */
    public function toArray(): string|array
    {
        return $this->json;
    }
}

<?php

declare(strict_types=1);

namespace BlockQueue;

use BlockQueue\Native\Time;

/** How long a topic keeps messages that every subscriber is done with. */
final class Retention
{
    /** @param string|array<string, int> $json */
    private function __construct(private readonly string|array $json)
    {
    }

    /** Not at all: they are removed at once. The default. */
    public static function none(): self
    {
        return new self('none');
    }

    public static function seconds(float $seconds): self
    {
        return new self(['duration_ms' => Time::ms($seconds)]);
    }

    /** The newest so many messages. */
    public static function count(int $messages): self
    {
        return new self(['count' => $messages]);
    }

    /** The newest messages of so many bytes together. */
    public static function bytes(int $bytes): self
    {
        return new self(['bytes' => $bytes]);
    }

    /** @return string|array<string, int> */
    public function toArray(): string|array
    {
        return $this->json;
    }

    /**
     * @internal
     * @param string|array<string, int> $json
     */
    public static function from(string|array $json): self
    {
        return new self($json);
    }
}

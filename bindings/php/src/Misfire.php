<?php

declare(strict_types=1);

namespace BlockQueue;

/** What a schedule does about occurrences that nobody was there to fire. */
final class Misfire
{
    /** @param string|array<string, int> $json */
    private function __construct(private readonly string|array $json)
    {
    }

    /** Leaves them out. */
    public static function skip(): self
    {
        return new self('skip');
    }

    /** Fires one for all of them. The default. */
    public static function once(): self
    {
        return new self('once');
    }

    /** Fires each, but not more than the newest so many. */
    public static function all(int $limit): self
    {
        return new self(['all' => $limit]);
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

<?php

declare(strict_types=1);

namespace BlockQueue;

/** Which dead letters of a subscriber. */
final class DeadLetters
{
    /** @param string|array<string, mixed> $which */
    private function __construct(private readonly string|array $which)
    {
    }

    public static function all(): self
    {
        return new self('all');
    }

    /** The oldest so many. */
    public static function oldest(int $limit): self
    {
        return new self(['oldest' => $limit]);
    }

    /** Those of these messages. */
    public static function ids(string ...$ids): self
    {
        return new self(['ids' => array_values($ids)]);
    }

    /**
     * @internal
     * @return array<string, mixed>
     */
    public function toArray(): array
    {
        return ['which' => $this->which];
    }
}

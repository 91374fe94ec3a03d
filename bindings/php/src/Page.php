<?php

declare(strict_types=1);

namespace BlockQueue;

/**
 * A part of a list.
 *
 * @template T
 * @implements \IteratorAggregate<int, T>
 */
final class Page implements \IteratorAggregate, \Countable
{
    /** @param list<T> $items */
    private function __construct(
        public readonly array $items,
        /** `after` of the page behind this one; null if this is the last. */
        public readonly ?string $next,
    ) {
    }

    public function getIterator(): \Iterator
    {
        return new \ArrayIterator($this->items);
    }

    public function count(): int
    {
        return count($this->items);
    }

    /**
     * @internal
     * @template U
     * @param \Closure(array<string, mixed>): U $item
     * @param array<array-key, mixed> $json
     * @return self<U>
     */
    public static function of(\Closure $item, array $json): self
    {
        return new self(array_map($item, $json['items']), $json['next']);
    }
}

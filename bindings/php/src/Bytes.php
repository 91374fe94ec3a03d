<?php

declare(strict_types=1);

namespace BlockQueue;

/** A value of a statement that is bytes and not text. */
final class Bytes
{
    public function __construct(public readonly string $bytes)
    {
    }
}

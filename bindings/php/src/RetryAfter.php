<?php

declare(strict_types=1);

namespace BlockQueue;

/** Thrown by a handler: try again after so many seconds. */
final class RetryAfter extends \RuntimeException
{
    public function __construct(public readonly float $delay, string $reason = '', ?\Throwable $previous = null)
    {
        parent::__construct($reason, 0, $previous);
    }
}

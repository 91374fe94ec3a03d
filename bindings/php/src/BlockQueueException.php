<?php

declare(strict_types=1);

namespace BlockQueue;

/**
 * The queue refused something. Each code has a class of its own below this one.
 *
 * `getCode()` is the number that belongs to the code; neither ever changes its meaning.
 */
class BlockQueueException extends \RuntimeException
{
    /** Stable, for programs: `lease_lost`, `unknown_topic`, … */
    public readonly string $errorCode;
    /** Whether repeating the call can help. */
    public readonly Retry $retry;
    /** Which item of a batch was refused, from 0, if that is known. */
    public readonly ?int $index;

    final public function __construct(string $detail, int $number, string $errorCode, Retry $retry, ?int $index = null)
    {
        parent::__construct($detail, $number);
        $this->errorCode = $errorCode;
        $this->retry = $retry;
        $this->index = $index;
    }

    /** @internal what is refused before the library sees it */
    public static function invalid(string $detail): self
    {
        return self::of(1, 'invalid_argument', Retry::Never->value, $detail);
    }

    /** @internal */
    public static function of(int $number, string $code, string $retry, ?string $detail = null, ?int $index = null): self
    {
        $class = __NAMESPACE__ . '\\' . str_replace('_', '', ucwords($code, '_')) . 'Exception';
        // A newer library may have codes that this package does not know.
        $class = is_subclass_of($class, self::class) ? $class : self::class;
        return new $class($detail ?? str_replace('_', ' ', $code), $number, $code, Retry::from($retry), $index);
    }
}

<?php

declare(strict_types=1);

namespace BlockQueue\Native;

/**
 * Durations are seconds here and milliseconds there; instants are objects here and milliseconds since 1970 there.
 *
 * @internal
 */
final class Time
{
    /** No duration that the library takes. */
    private const REFUSED = -1;

    /** A duration in milliseconds. What is not a number of seconds becomes one that the library refuses. */
    public static function ms(float $seconds): int
    {
        $ms = round($seconds * 1000);
        // A positive duration never becomes none.
        if ($ms === 0.0 && $seconds > 0) {
            return 1;
        }
        return abs($ms) < 9e15 ? (int) $ms : ($ms > 0 ? PHP_INT_MAX : PHP_INT_MIN);
    }

    /** A duration for which the library takes 0 as its default: what is none here is refused there. */
    public static function msOrDefault(?float $seconds): int
    {
        return match (true) {
            $seconds === null => 0,
            $seconds === 0.0 => self::REFUSED,
            default => self::ms($seconds),
        };
    }

    public static function seconds(int $ms): float
    {
        return $ms / 1000;
    }

    public static function instantMs(\DateTimeInterface $at): int
    {
        return $at->getTimestamp() * 1000 + intdiv((int) $at->format('u'), 1000);
    }

    public static function instant(int $ms): \DateTimeImmutable
    {
        $seconds = intdiv($ms, 1000) - ($ms % 1000 < 0 ? 1 : 0);
        $micros = ($ms - $seconds * 1000) * 1000;
        return (new \DateTimeImmutable('@' . $seconds))->setTime(
            (int) gmdate('G', $seconds),
            (int) gmdate('i', $seconds),
            (int) gmdate('s', $seconds),
            $micros,
        );
    }

    public static function instantOrNull(?int $ms): ?\DateTimeImmutable
    {
        return $ms === null ? null : self::instant($ms);
    }
}

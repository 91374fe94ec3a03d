<?php

declare(strict_types=1);

namespace BlockQueue\Native;

use BlockQueue\BlockQueueException;

/**
 * Settings on their way in, and what people look at on its way out.
 *
 * @internal
 */
final class Json
{
    /**
     * Settings without those that nobody gave. What JSON cannot hold, such as a name that is not UTF-8, is refused
     * as the library would.
     *
     * @param array<string, mixed> $settings
     */
    public static function encode(array $settings): string
    {
        try {
            return json_encode(
                (object) array_filter($settings, static fn (mixed $value): bool => $value !== null),
                JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_PRESERVE_ZERO_FRACTION,
            );
        } catch (\JsonException $cause) {
            throw BlockQueueException::invalid(lcfirst($cause->getMessage()));
        }
    }

    /**
     * @param list<array<string, mixed>|object> $items
     */
    public static function encodeList(array $items): string
    {
        try {
            return json_encode($items, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE);
        } catch (\JsonException $cause) {
            throw BlockQueueException::invalid(lcfirst($cause->getMessage()));
        }
    }

    /** @return array<string, mixed> */
    public static function decode(string $text): array
    {
        return json_decode($text, true, 512, JSON_THROW_ON_ERROR);
    }
}

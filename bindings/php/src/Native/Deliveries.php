<?php

declare(strict_types=1);

namespace BlockQueue\Native;

use BlockQueue\Delivery;
use BlockQueue\Queue;
use FFI;

/**
 * What a claim got, copied out of the library.
 *
 * @internal
 */
final class Deliveries
{
    /** @return list<Delivery> */
    public static function take(Queue $queue, FFI\CData $items, int $count): array
    {
        $out = [];
        for ($at = 0; $at < $count; ++$at) {
            $item = $items[$at];
            $out[] = new Delivery(
                $queue,
                FFI::string($item->receipt->bytes, Ids::RECEIPT_BYTES),
                FFI::string($item->message_id->bytes, Ids::ID_BYTES),
                self::text($item->topic),
                self::text($item->subscriber),
                self::text($item->payload),
                self::textOrNull($item->content_type),
                self::headers($item),
                self::textOrNull($item->correlation_id),
                self::textOrNull($item->ordering_key),
                $item->priority,
                $item->attempt,
                $item->failures,
                $item->published_at_ms,
                $item->expires_at_ms,
                $item->lease_expires_at_ms,
            );
        }
        return $out;
    }

    private static function text(FFI\CData $slice): string
    {
        $length = $slice->len;
        return $length === 0 ? '' : FFI::string($slice->data, $length);
    }

    private static function textOrNull(FFI\CData $slice): ?string
    {
        return $slice->data === null ? null : self::text($slice);
    }

    /** @return array<string, string> */
    private static function headers(FFI\CData $item): array
    {
        $headers = [];
        for ($at = 0, $count = $item->header_count; $at < $count; ++$at) {
            $header = $item->headers[$at];
            $headers[self::text($header->name)] = self::text($header->value);
        }
        return $headers;
    }
}

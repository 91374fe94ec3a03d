<?php

declare(strict_types=1);

namespace BlockQueue\Native;

use BlockQueue\Message;
use BlockQueue\Published;
use FFI;

/**
 * Messages on their way in, and the answers to them.
 *
 * @internal
 */
final class Messages
{
    /** The options of a message, or null if it has nothing but a payload. */
    public static function options(Arena $arena, Message $message): ?FFI\CData
    {
        if ($message->isPlain()) {
            return null;
        }
        $options = $arena->make('bq_message_options');
        $options->size = FFI::sizeof($options);
        $arena->fill($options->content_type, $message->contentType);
        $arena->fill($options->correlation_id, $message->correlationId);
        $arena->fill($options->idempotency_key, $message->idempotencyKey);
        $arena->fill($options->ordering_key, $message->orderingKey);
        $arena->fill($options->unique_key, $message->uniqueKey);
        $options->priority = $message->priority;
        $options->ttl_ms = Time::msOrDefault($message->ttl);
        if ($message->delay !== null) {
            $options->delay_ms = Time::ms($message->delay);
        }
        if ($message->deliverAt !== null) {
            $options->deliver_at_ms = Time::instantMs($message->deliverAt);
        }
        self::headers($arena, $options, $message->headers);
        return $options;
    }

    /** @param array<array-key, string> $headers */
    private static function headers(Arena $arena, FFI\CData $options, array $headers): void
    {
        if ($headers === []) {
            return;
        }
        $array = $arena->make('bq_header[' . count($headers) . ']');
        $at = 0;
        foreach ($headers as $name => $value) {
            $arena->fill($array[$at]->name, (string) $name);
            $arena->fill($array[$at]->value, $value);
            ++$at;
        }
        $options->headers = FFI::addr($array[0]);
        $options->header_count = $at;
    }

    /** An array of bq_message. @param list<Message> $messages */
    public static function batch(Arena $arena, array $messages): FFI\CData
    {
        $array = $arena->make('bq_message[' . max(count($messages), 1) . ']');
        foreach ($messages as $at => $message) {
            $arena->fill($array[$at]->payload, $message->payload);
            $options = self::options($arena, $message);
            if ($options !== null) {
                $array[$at]->options = FFI::addr($options);
            }
        }
        return $array;
    }

    /** An answer that the library stored. */
    public static function published(FFI\CData $published): Published
    {
        $at = $published->deliver_at_ms;
        return new Published(
            Ids::text(FFI::string($published->id->bytes, Ids::ID_BYTES)),
            $published->duplicate,
            $at === 0 ? null : Time::instant($at),
            $published->subscriber_count,
        );
    }
}

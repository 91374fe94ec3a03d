<?php

declare(strict_types=1);

namespace BlockQueue\Queue;

use BlockQueue\Message;
use BlockQueue\Native\Arena;
use BlockQueue\Native\Messages;
use BlockQueue\Published;
use FFI;

/**
 * Publishing: one message, and many.
 *
 * @internal
 */
trait Publishing
{
    private ?FFI\CData $published = null;
    private ?FFI\CData $publishedPlace = null;

    /**
     * Publishes a message: every subscriber of the topic gets it. It is on disk when this returns.
     *
     * @param mixed $content a Message, bytes, or anything that JSON can hold
     * @throws \JsonException if the content has no form in JSON
     */
    public function publish(string $topic, mixed $content, mixed ...$options): Published
    {
        $arena = new Arena($this->ffi);
        if (is_string($content) && $options === []) {
            [$payload, $fields] = [$content, null];
        } else {
            $message = Message::of($content, ...$options);
            [$payload, $fields] = [$message->payload, Messages::options($arena, $message)];
        }
        $this->publishedPlace ??= FFI::addr($this->published ??= $this->ffi->new('bq_published'));
        $this->check($this->ffi->{self::VERBS . 'publish'}(
            $this->handle,
            $topic,
            strlen($topic),
            $payload,
            strlen($payload),
            $fields === null ? null : FFI::addr($fields),
            $this->publishedPlace,
            $this->error,
        ));
        return Messages::published($this->published);
    }

    /**
     * Publishes 1 to 1,000 messages, all or none, in order.
     *
     * @param iterable<mixed> $contents each as for publish()
     * @return list<Published>
     * @throws \JsonException if a content has no form in JSON
     */
    public function publishMany(string $topic, iterable $contents): array
    {
        $messages = [];
        $isPlain = true;
        foreach ($contents as $content) {
            $messages[] = $message = Message::of($content);
            $isPlain = $isPlain && $message->isPlain();
        }
        $count = count($messages);
        $published = $this->ffi->new('bq_published[' . max($count, 1) . ']');
        $this->check($isPlain && self::IS_PACKED
            ? $this->publishPacked($topic, $messages, $published)
            : $this->publishBatch($topic, $messages, $published));
        $out = [];
        for ($at = 0; $at < $count; ++$at) {
            $out[] = Messages::published($published[$at]);
        }
        return $out;
    }

    /** Payloads that differ in nothing else lie behind one another. @param list<Message> $messages */
    private function publishPacked(string $topic, array $messages, FFI\CData $published): int
    {
        $count = count($messages);
        $payloads = array_map(static fn (Message $message): string => $message->payload, $messages);
        $lengths = $this->ffi->new('size_t[' . max($count, 1) . ']');
        foreach ($payloads as $at => $payload) {
            $lengths[$at] = strlen($payload);
        }
        $data = implode('', $payloads);
        return $this->ffi->bq_queue_publish_packed(
            $this->handle,
            $topic,
            strlen($topic),
            $data,
            strlen($data),
            $lengths,
            $count,
            null,
            $published,
            $this->error,
        );
    }

    /** @param list<Message> $messages */
    private function publishBatch(string $topic, array $messages, FFI\CData $published): int
    {
        $arena = new Arena($this->ffi);
        $batch = Messages::batch($arena, $messages);
        return $this->ffi->{self::VERBS . 'publish_batch'}(
            $this->handle,
            $topic,
            strlen($topic),
            $batch,
            count($messages),
            $published,
            $this->error,
        );
    }
}

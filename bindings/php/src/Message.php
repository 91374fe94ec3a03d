<?php

declare(strict_types=1);

namespace BlockQueue;

/** A message to publish. What is not given it does not have. */
final class Message
{
    public const JSON = 'application/json';

    public function __construct(
        /** Any bytes. */
        public readonly string $payload = '',
        public readonly ?string $contentType = null,
        /** @var array<string, string> names are unique, order is not kept */
        public readonly array $headers = [],
        /** Ties the message to others, for example to a request. */
        public readonly ?string $correlationId = null,
        /** A repeat of the key within the topic's window publishes nothing and answers with the first id. */
        public readonly ?string $idempotencyKey = null,
        /** Messages of one key go to a subscriber that asks for order one at a time. */
        public readonly ?string $orderingKey = null,
        /** While some subscriber is not done with a message of this key, the topic takes no other of it. */
        public readonly ?string $uniqueKey = null,
        /** From -1000 to 1000; higher is delivered first, and lower ones may starve. */
        public readonly int $priority = 0,
        /** In seconds: deliver it this long after now. Not together with `deliverAt`. */
        public readonly ?float $delay = null,
        public readonly ?\DateTimeInterface $deliverAt = null,
        /** In seconds: it is not delivered any more this long after it was published. */
        public readonly ?float $ttl = null,
    ) {
    }

    /**
     * What `publish` takes: bytes as they are; anything else as JSON, with its content type.
     *
     * Further arguments are those of the constructor, by name.
     *
     * @throws \JsonException if the content has no form in JSON
     */
    public static function of(mixed $content, mixed ...$options): self
    {
        if ($content instanceof self) {
            return $content;
        }
        if (is_string($content)) {
            return new self($content, ...$options);
        }
        return self::json($content, ...$options);
    }

    /** @throws \JsonException if the content has no form in JSON */
    public static function json(mixed $content, mixed ...$options): self
    {
        $options += ['contentType' => self::JSON];
        return new self(
            json_encode($content, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE),
            ...$options,
        );
    }

    /** Whether it has nothing but a payload. */
    public function isPlain(): bool
    {
        return $this->contentType === null && $this->headers === [] && $this->correlationId === null
            && $this->idempotencyKey === null && $this->orderingKey === null && $this->uniqueKey === null
            && $this->priority === 0 && $this->delay === null && $this->deliverAt === null && $this->ttl === null;
    }
}

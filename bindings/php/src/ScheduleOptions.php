<?php

declare(strict_types=1);

namespace BlockQueue;

use BlockQueue\Native\Time;

/** Settings of a schedule. */
final class ScheduleOptions
{
    public function __construct(
        /** Five fields of cron, or six with seconds in front; `@hourly` and the like; `@every 90s`. */
        public readonly string $cron,
        /** What is published at each occurrence. */
        public readonly Message $message = new Message(),
        /** An IANA time zone. */
        public readonly string $timezone = 'UTC',
        /** Default: one for all that were missed. */
        public readonly ?Misfire $misfire = null,
        public readonly OverlapPolicy $overlap = OverlapPolicy::Skip,
        public readonly ?\DateTimeInterface $start = null,
        public readonly ?\DateTimeInterface $end = null,
        /** In seconds: an occurrence is fired up to so much later, the same for each occurrence everywhere. */
        public readonly float $jitter = 0.0,
        /** In seconds: an occurrence that is later than this is missed. Null is the default. */
        public readonly ?float $grace = null,
    ) {
    }

    /** @return array<string, mixed> */
    public function toArray(): array
    {
        return array_filter([
            'cron' => $this->cron,
            'timezone' => $this->timezone,
            'message' => (object) self::message($this->message),
            'misfire' => $this->misfire?->toArray(),
            'overlap' => $this->overlap->value,
            'start_at' => $this->start === null ? null : Time::instantMs($this->start),
            'end_at' => $this->end === null ? null : Time::instantMs($this->end),
            'jitter_ms' => Time::ms($this->jitter),
            'grace_ms' => $this->grace === null ? null : Time::ms($this->grace),
        ], static fn (mixed $setting): bool => $setting !== null);
    }

    /** @return array<string, mixed> */
    private static function message(Message $message): array
    {
        return array_filter([
            'payload_base64' => base64_encode($message->payload),
            'content_type' => $message->contentType,
            'headers' => (object) $message->headers,
            'correlation_id' => $message->correlationId,
            'priority' => $message->priority,
            'delay_ms' => $message->delay === null ? null : Time::ms($message->delay),
            'deliver_at' => $message->deliverAt === null ? null : Time::instantMs($message->deliverAt),
            'idempotency_key' => $message->idempotencyKey,
            'unique_key' => $message->uniqueKey,
            'ordering_key' => $message->orderingKey,
            'ttl_ms' => $message->ttl === null ? null : Time::ms($message->ttl),
        ], static fn (mixed $field): bool => $field !== null);
    }

    /**
     * @internal
     * @param array<string, mixed> $json
     */
    public static function from(array $json): self
    {
        $message = $json['message'];
        return new self(
            $json['cron'],
            new Message(
                (string) base64_decode($message['payload_base64'], true),
                contentType: $message['content_type'],
                headers: $message['headers'],
                correlationId: $message['correlation_id'],
                orderingKey: $message['ordering_key'],
                priority: $message['priority'],
                ttl: $message['ttl_ms'] === null ? null : Time::seconds($message['ttl_ms']),
            ),
            $json['timezone'],
            Misfire::from($json['misfire']),
            OverlapPolicy::from($json['overlap']),
            Time::instantOrNull($json['start_at']),
            Time::instantOrNull($json['end_at']),
            Time::seconds($json['jitter_ms']),
            Time::seconds($json['grace_ms']),
        );
    }
}

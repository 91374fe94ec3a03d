<?php

declare(strict_types=1);

namespace BlockQueue;

use BlockQueue\Native\Time;

/** Settings of a topic. What is null has its default, or stays as it is in an update. */
final class TopicOptions
{
    public function __construct(
        /** How long messages are kept that every subscriber is done with. Default: not at all. */
        public readonly ?Retention $retention = null,
        /** How much may wait. Replaced as a whole. Default: no limit. */
        public readonly ?BacklogLimit $backlogLimit = null,
        /** In seconds: how long an idempotency key is remembered. Default: 24 h. */
        public readonly ?float $idempotencyWindow = null,
        /** In seconds: how long messages live that do not say. Default: for ever. */
        public readonly float|Setting|null $ttl = null,
    ) {
    }

    /** @return array<string, mixed> */
    public function toArray(): array
    {
        return array_filter([
            'retention' => $this->retention?->toArray(),
            'backlog_limit' => $this->backlogLimit?->toArray(),
            'idempotency_window_ms' => $this->idempotencyWindow === null ? null : Time::ms($this->idempotencyWindow),
            'ttl_ms' => is_float($this->ttl) ? Time::ms($this->ttl) : $this->ttl?->value,
        ], static fn (mixed $value): bool => $value !== null);
    }

    /**
     * @internal
     * @param array<string, mixed> $json
     */
    public static function from(array $json): self
    {
        return new self(
            Retention::from($json['retention']),
            BacklogLimit::from($json['backlog_limit']),
            Time::seconds($json['idempotency_window_ms']),
            $json['ttl_ms'] === null ? null : Time::seconds($json['ttl_ms']),
        );
    }
}

<?php

declare(strict_types=1);

namespace BlockQueue;

use BlockQueue\Native\Time;

/** Settings of a subscriber. What is null has its default, or stays as it is in an update. */
final class SubscriberOptions
{
    public function __construct(
        /** A delivery that was claimed so often and failed becomes a dead letter. Default: 5. */
        public readonly ?int $maxAttempts = null,
        /** In seconds: how long a claim leases what it gets. Default: 30. */
        public readonly ?float $lease = null,
        /** How many a claim gets that does not say. Default: 10. */
        public readonly ?int $claimLimit = null,
        /** Replaced as a whole. */
        public readonly ?RetryPolicy $retry = null,
        /** Messages of one ordering key are delivered one at a time, in order. Default: false. */
        public readonly ?bool $ordered = null,
        public readonly ?OnDead $onDead = null,
        /**
         * Only messages whose headers match are delivered.
         *
         * @var array<string, mixed>|Setting|null
         */
        public readonly array|Setting|null $filter = null,
        public readonly ?OnExpiry $onExpiry = null,
        /** So many are leased at once, over all processes. */
        public readonly int|Setting|null $leasedMax = null,
        public readonly RateLimit|Setting|null $rate = null,
        /** So many of one ordering key are leased at once. */
        public readonly int|Setting|null $leasedPerKeyMax = null,
    ) {
    }

    /** @return array<string, mixed> */
    public function toArray(): array
    {
        $value = static fn (mixed $setting): mixed => $setting instanceof Setting ? $setting->value : $setting;
        return array_filter([
            'max_attempts' => $this->maxAttempts,
            'lease_ms' => $this->lease === null ? null : Time::ms($this->lease),
            'claim_limit' => $this->claimLimit,
            'retry' => $this->retry?->toArray(),
            'ordered' => $this->ordered,
            'on_dead' => $this->onDead?->value,
            'filter' => is_array($this->filter) ? (object) $this->filter : $value($this->filter),
            'on_expiry' => $this->onExpiry?->value,
            'leased_max' => $value($this->leasedMax),
            'rate' => $this->rate instanceof RateLimit ? $this->rate->toArray() : $value($this->rate),
            'leased_per_key_max' => $value($this->leasedPerKeyMax),
        ], static fn (mixed $setting): bool => $setting !== null);
    }

    /**
     * @internal
     * @param array<string, mixed> $json
     */
    public static function from(array $json): self
    {
        $rate = $json['rate'];
        return new self(
            $json['max_attempts'],
            Time::seconds($json['lease_ms']),
            $json['claim_limit'],
            RetryPolicy::from($json['retry']),
            $json['ordered'],
            OnDead::from($json['on_dead']),
            $json['filter'],
            OnExpiry::from($json['on_expiry']),
            $json['leased_max'],
            $rate === null ? null : new RateLimit($rate['count'], Time::seconds($rate['interval_ms'])),
            $json['leased_per_key_max'],
        );
    }
}

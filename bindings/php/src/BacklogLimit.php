<?php

declare(strict_types=1);

namespace BlockQueue;

use BlockQueue\Native\Time;

/** How much may wait in a topic. What is null is not limited. */
final class BacklogLimit
{
    public function __construct(
        public readonly ?int $messages = null,
        public readonly ?int $bytes = null,
        /** In seconds: how old the oldest may be. */
        public readonly ?float $age = null,
        /** What becomes of a publish beyond the limit. */
        public readonly BacklogPolicy $policy = BacklogPolicy::Refuse,
    ) {
    }

    /** @return array<string, mixed> */
    public function toArray(): array
    {
        return [
            'messages' => $this->messages,
            'bytes' => $this->bytes,
            'age_ms' => $this->age === null ? null : Time::ms($this->age),
            'policy' => $this->policy->value,
        ];
    }

    /**
     * @internal
     * @param array<string, mixed> $json
     */
    public static function from(array $json): self
    {
        $age = $json['age_ms'] === null ? null : Time::seconds($json['age_ms']);
        return new self($json['messages'], $json['bytes'], $age, BacklogPolicy::from($json['policy']));
    }
}

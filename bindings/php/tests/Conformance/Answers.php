<?php

declare(strict_types=1);

namespace BlockQueue\Tests\Conformance;

use BlockQueue\Delivery;
use BlockQueue\Page;
use BlockQueue\Settled;

/** This package's answers in the words of the scripts. */
final class Answers
{
    /** What the time is called that settling answers with. */
    private const TIMES = [
        'nack' => 'ready_at',
        'nack_batch' => 'ready_at',
        'defer' => 'ready_at',
        'defer_batch' => 'ready_at',
        'extend' => 'lease_expires_at',
        'extend_batch' => 'lease_expires_at',
    ];

    public static function of(string $word, mixed $answer): mixed
    {
        return match (true) {
            $answer === null => [],
            is_int($answer) => ['count' => $answer],
            default => self::json($answer, $word),
        };
    }

    private static function json(mixed $value, string $word): mixed
    {
        return match (true) {
            $value instanceof \DateTimeInterface => self::instant($value),
            $value instanceof \BackedEnum => $value->value,
            $value instanceof Settled => self::settled($value, $word),
            $value instanceof Delivery => self::delivery($value),
            $value instanceof Page => ['items' => self::json($value->items, $word), 'next' => $value->next],
            is_object($value) && method_exists($value, 'toArray') => self::instants($value->toArray()),
            is_object($value) => self::properties($value, $word),
            is_array($value) => array_map(static fn (mixed $each): mixed => self::json($each, $word), $value),
            default => $value,
        };
    }

    /** @return array<string, mixed> */
    private static function properties(object $value, string $word): array
    {
        $out = [];
        foreach (get_object_vars($value) as $name => $member) {
            $name = strtolower((string) preg_replace('/[A-Z]/', '_$0', $name));
            if ($name === 'payload') {
                $out += self::payload($member);
            } elseif ($name === 'oldest_age') {
                $out['oldest_age_ms'] = $member === null ? null : round($member * 1000);
            } else {
                $out[$name] = self::json($member, $word);
            }
        }
        return $out;
    }

    /** @return array<string, mixed> */
    private static function delivery(Delivery $delivery): array
    {
        $times = [
            'published_at' => $delivery->publishedAt(),
            'expires_at' => $delivery->expiresAt(),
            'lease_expires_at' => $delivery->leaseExpiresAt(),
        ];
        return [
            'message_id' => $delivery->messageId(),
            'receipt' => $delivery->receipt(),
            ...array_map(static fn (?\DateTimeInterface $at): ?int => $at === null ? null : self::instant($at), $times),
            ...self::properties($delivery, 'claim'),
        ];
    }

    /** @return array<string, mixed> */
    private static function settled(Settled $settled, string $word): array
    {
        if ($settled->error !== null) {
            return ['error' => $settled->error->errorCode];
        }
        if (!isset(self::TIMES[$word])) {
            return [];
        }
        $at = $settled->at();
        return ['state' => $settled->state?->value, self::TIMES[$word] => $at === null ? null : self::instant($at)];
    }

    /** @return array<string, string> */
    private static function payload(?string $bytes): array
    {
        if ($bytes === null) {
            return [];
        }
        $isText = preg_match('//u', $bytes) === 1;
        return ['payload_base64' => base64_encode($bytes), ...($isText ? ['payload' => $bytes] : [])];
    }

    private static function instant(\DateTimeInterface $at): int
    {
        return (int) $at->format('Uv') - Face::START_MS;
    }

    /** Settings as the library has them: their instants count from 1970. */
    private static function instants(mixed $value): mixed
    {
        $value = is_object($value) ? (array) $value : $value;
        if (!is_array($value)) {
            return $value;
        }
        $out = array_map(self::instants(...), $value);
        foreach ($out as $name => $member) {
            if (is_int($member) && is_string($name) && str_ends_with($name, '_at')) {
                $out[$name] = $member - Face::START_MS;
            }
        }
        if (isset($out['payload_base64'])) {
            $out += self::payload(base64_decode($out['payload_base64'], true) ?: '');
        }
        return $out;
    }
}

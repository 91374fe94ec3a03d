<?php

declare(strict_types=1);

namespace BlockQueue\Tests\Conformance;

/** The scripts that every language runs: references, repetitions and expectations, as their README has them. */
final class Script
{
    /**
     * @param list<string> $needs
     * @param list<array<string, mixed>> $steps
     */
    private function __construct(
        public readonly string $name,
        public readonly string $rule,
        public readonly array $needs,
        public readonly array $steps,
    ) {
    }

    /** @return \Generator<string, Script> */
    public static function all(): \Generator
    {
        $files = glob(dirname(__DIR__, 4) . '/tests/conformance/*.json');
        foreach ($files === false ? [] : $files as $file) {
            // Objects stay objects: an empty one is not an empty list.
            $scripts = json_decode((string) file_get_contents($file), false, 512, JSON_THROW_ON_ERROR);
            foreach ($scripts as $script) {
                $steps = array_map(static fn (object $step): array => (array) $step, $script->steps);
                yield $script->name => new self($script->name, $script->rule, $script->needs ?? [], $steps);
            }
        }
    }

    /**
     * Replaces references to saved answers, and repetitions. Objects become arrays.
     *
     * @param array<string, mixed> $saved
     */
    public static function resolve(mixed $value, array $saved): mixed
    {
        if (is_string($value) && str_starts_with($value, '$')) {
            $path = explode('.', substr($value, 1));
            $found = $saved[array_shift($path)];
            foreach ($path as $part) {
                $found = $found[$part];
            }
            return $found;
        }
        if (is_object($value) && isset($value->{'$repeat'})) {
            $part = self::resolve($value->{'$repeat'}, $saved);
            if (is_string($part)) {
                return str_repeat($part, $value->times);
            }
            return array_merge(...array_fill(0, $value->times, $part));
        }
        if (is_object($value) || is_array($value)) {
            return array_map(static fn (mixed $each): mixed => self::resolve($each, $saved), (array) $value);
        }
        return $value;
    }

    /**
     * Where an answer first differs from what was expected, in words.
     *
     * @param array<string, mixed> $saved
     */
    public static function difference(mixed $expected, mixed $found, array $saved, string $path = 'answer'): ?string
    {
        if (is_object($expected) && !isset($expected->{'$repeat'})) {
            return self::ofObject($expected, $found, $saved, $path);
        }
        if (is_array($expected)) {
            if (!is_array($found) || !array_is_list($found) || count($found) !== count($expected)) {
                return "{$path}: expected " . count($expected) . ' items, found ' . self::show($found);
            }
            foreach ($expected as $at => $item) {
                $difference = self::difference($item, $found[$at], $saved, "{$path}.{$at}");
                if ($difference !== null) {
                    return $difference;
                }
            }
            return null;
        }
        $expected = self::resolve($expected, $saved);
        $same = is_numeric($expected) && is_numeric($found) && !is_string($expected) && !is_string($found)
            ? $expected == $found
            : $expected === $found;
        return $same ? null : "{$path}: expected " . self::show($expected) . ', found ' . self::show($found);
    }

    /** @param array<string, mixed> $saved */
    private static function ofObject(object $expected, mixed $found, array $saved, string $path): ?string
    {
        $members = (array) $expected;
        $first = (string) array_key_first($members);
        if (count($members) === 1 && str_starts_with($first, '$')) {
            return self::holds($first, $members[$first], $found, $saved)
                ? null
                : "{$path}: not " . self::show($expected) . ': ' . self::show($found);
        }
        if (!is_array($found)) {
            return "{$path}: no object: " . self::show($found);
        }
        foreach ($members as $name => $member) {
            $difference = self::difference($member, $found[$name] ?? null, $saved, "{$path}.{$name}");
            if ($difference !== null) {
                return $difference;
            }
        }
        return null;
    }

    /** @param array<string, mixed> $saved */
    private static function holds(string $rule, mixed $argument, mixed $found, array $saved): bool
    {
        return match ($rule) {
            '$length' => is_array($found) && count($found) === $argument,
            '$between' => is_numeric($found) && $argument[0] <= $found && $found <= $argument[1],
            '$not' => self::difference($argument, $found, $saved) !== null,
            '$unordered' => is_array($found) && self::unordered($argument, $found, $saved),
            default => throw new \LogicException("no rule {$rule}"),
        };
    }

    /**
     * @param list<mixed> $expected
     * @param array<array-key, mixed> $found
     * @param array<string, mixed> $saved
     */
    private static function unordered(array $expected, array $found, array $saved): bool
    {
        foreach ($expected as $item) {
            foreach ($found as $at => $each) {
                if (self::difference($item, $each, $saved) === null) {
                    unset($found[$at]);
                    continue 2;
                }
            }
            return false;
        }
        return $found === [];
    }

    private static function show(mixed $value): string
    {
        return json_encode($value, JSON_PARTIAL_OUTPUT_ON_ERROR | JSON_UNESCAPED_SLASHES) ?: '?';
    }
}

<?php

declare(strict_types=1);

namespace BlockQueue\Tests\Conformance;

use BlockQueue\BlockQueueException;
use BlockQueue\Native\Waiting;
use BlockQueue\Tests\Folder;
use PHPUnit\Framework\TestCase;

/** Each script holds, on a queue in memory and on one in a file. */
final class ScriptTest extends TestCase
{
    private const PATIENCE = 10.0;
    private const WORDS = ['do', 'expect', 'error', 'index', 'save', 'eventually', 'takes_ms', 'start', 'note'];

    private Face $face;
    private int $nowMs;
    /** @var array<string, mixed> */
    private array $saved;
    /** @var array<string, array{float, Waiting, \Closure(): mixed}> */
    private array $started;

    /** @return \Generator<string, array{Script, bool}> */
    public function scripts(): \Generator
    {
        foreach (Script::all() as $name => $script) {
            // What is in memory cannot be opened again.
            if (!in_array('reopen', $script->needs, true)) {
                yield "{$name} in memory" => [$script, false];
            }
            yield "{$name} in a file" => [$script, true];
        }
    }

    /** @dataProvider scripts */
    public function testScript(Script $script, bool $inFile): void
    {
        $folder = new Folder();
        $this->face = new Face($inFile ? "{$folder->path}/queue.db" : ':memory:');
        [$this->nowMs, $this->saved, $this->started] = [Face::START_MS, [], []];
        $missing = array_diff($script->needs, $this->face->has);
        if ($missing !== []) {
            $this->face->close();
            self::markTestSkipped('it has no ' . implode(', ', $missing));
        }
        try {
            foreach ($script->steps as $number => $step) {
                $differs = $this->patiently($step);
                $shown = json_encode($step, JSON_PARTIAL_OUTPUT_ON_ERROR | JSON_UNESCAPED_SLASHES);
                self::assertNull($differs, "{$script->rule}\nstep " . ($number + 1) . ": {$shown}\n{$differs}");
            }
        } finally {
            $this->started = [];
            $this->face->close();
        }
    }

    /** @param array<string, mixed> $step */
    private function patiently(array $step): ?string
    {
        $until = microtime(true) + self::PATIENCE;
        $pause = 5_000;
        do {
            $differs = $this->step($step);
            if ($differs === null || !isset($step['eventually'])) {
                return $differs;
            }
            usleep($pause);
            $pause = min(2 * $pause, 640_000);
        } while (microtime(true) < $until);
        return $differs;
    }

    /**
     * What differs from what was expected.
     *
     * @param array<string, mixed> $step
     */
    private function step(array $step): ?string
    {
        if (isset($step['join'])) {
            [$since, $waiting, $answer] = $this->started[$step['join']];
            unset($this->started[$step['join']]);
            if (!$waiting->wait(self::PATIENCE)) {
                return 'it is not answered in time';
            }
            return $this->check($step, $answer, $since);
        }
        $word = $step['do'];
        if ($word === 'advance' || $word === 'set_clock') {
            $this->nowMs = $word === 'advance' ? $this->nowMs + $step['ms'] : Face::START_MS + $step['at'];
            $this->face->setClock($this->nowMs);
            return null;
        }
        $given = Script::resolve(array_diff_key($step, array_flip(self::WORDS)), $this->saved);
        if (isset($step['start'])) {
            $this->started[$step['start']] = [microtime(true), ...$this->face->start($word, $given)];
            return null;
        }
        return $this->check($step, fn (): mixed => $this->face->perform($word, $given), microtime(true));
    }

    /**
     * @param array<string, mixed> $step
     * @param \Closure(): mixed $perform
     */
    private function check(array $step, \Closure $perform, float $since): ?string
    {
        try {
            $answer = $perform();
        } catch (BlockQueueException $error) {
            if ($error->errorCode !== ($step['error'] ?? null)) {
                return 'expected ' . ($step['error'] ?? 'success') . ", found {$error->errorCode}: {$error->getMessage()}";
            }
            $index = $step['index'] ?? $error->index;
            return $error->index === $index ? null : "expected item {$index}, found {$error->index}";
        }
        if (isset($step['error'])) {
            return "expected {$step['error']}, found " . json_encode($answer);
        }
        if (microtime(true) - $since < ($step['takes_ms'] ?? 0) / 1000) {
            return "answered in less than {$step['takes_ms']} ms";
        }
        if (array_key_exists('expect', $step)) {
            $differs = Script::difference($step['expect'], $answer, $this->saved);
            if ($differs !== null) {
                return $differs;
            }
        }
        if (isset($step['save'])) {
            $this->saved[$step['save']] = $answer;
        }
        return null;
    }
}

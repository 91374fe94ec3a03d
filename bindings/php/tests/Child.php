<?php

declare(strict_types=1);

namespace BlockQueue\Tests;

/** Another PHP process with this package. */
final class Child
{
    /** @var resource */
    private $process;
    /** @var array<int, resource> */
    private array $pipes = [];

    /** @param list<string> $command */
    private function __construct(array $command)
    {
        $process = proc_open($command, [1 => ['pipe', 'w'], 2 => STDERR], $this->pipes);
        if ($process === false) {
            throw new \RuntimeException('no process could be started');
        }
        $this->process = $process;
    }

    public static function run(string $code, string ...$arguments): self
    {
        $autoload = var_export(dirname(__DIR__) . '/vendor/autoload.php', true);
        return new self([PHP_BINARY, '-r', "require {$autoload}; {$code}", '--', ...array_values($arguments)]);
    }

    public static function script(string $path, string ...$arguments): self
    {
        return new self([PHP_BINARY, $path, ...array_values($arguments)]);
    }

    /** Its next line, without the end; null if there is no more. */
    public function line(): ?string
    {
        $line = fgets($this->pipes[1]);
        return $line === false ? null : rtrim($line, "\n");
    }

    public function signal(int $signal): void
    {
        proc_terminate($this->process, $signal);
    }

    /** Waits for its end; the answer is its exit code. */
    public function wait(): int
    {
        stream_get_contents($this->pipes[1]);
        fclose($this->pipes[1]);
        return proc_close($this->process);
    }
}

<?php

declare(strict_types=1);

namespace BlockQueue\Native;

/**
 * Signals of a worker: told to stop, and the alarm that extends leases. Without pcntl it does nothing.
 *
 * @internal
 */
final class Signals
{
    /** @var array<int, callable|int> what was there before */
    private array $before = [];
    private readonly bool $wasAsync;
    private int $every = 0;

    /**
     * @param \Closure(): void $stop
     * @param \Closure(): void $beat
     */
    public function __construct(\Closure $stop, private readonly \Closure $beat)
    {
        if (!self::are()) {
            $this->wasAsync = false;
            return;
        }
        $this->wasAsync = pcntl_async_signals(true);
        $alarm = function (): void {
            if ($this->every > 0) {
                pcntl_alarm($this->every);
                ($this->beat)();
            }
        };
        foreach ([SIGTERM => $stop, SIGINT => $stop, SIGALRM => $alarm] as $signal => $handler) {
            $this->before[$signal] = pcntl_signal_get_handler($signal);
            pcntl_signal($signal, static fn () => $handler());
        }
    }

    /** Calls the beat about three times within so many seconds. An alarm has whole ones: less than two is too short. */
    public function beatWithin(float $seconds): void
    {
        $this->every = self::are() && $seconds >= 1.9 ? max(1, (int) ($seconds / 3)) : 0;
        if ($this->every > 0) {
            pcntl_alarm($this->every);
        }
    }

    public function beatNoMore(): void
    {
        if ($this->every > 0) {
            $this->every = 0;
            pcntl_alarm(0);
        }
    }

    public function restore(): void
    {
        $this->beatNoMore();
        foreach ($this->before as $signal => $handler) {
            pcntl_signal($signal, $handler);
        }
        if (self::are()) {
            pcntl_async_signals($this->wasAsync);
        }
    }

    private static function are(): bool
    {
        return function_exists('pcntl_async_signals');
    }
}

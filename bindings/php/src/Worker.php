<?php

declare(strict_types=1);

namespace BlockQueue;

use Psr\Log\LoggerInterface;

/**
 * Handles deliveries until it is told to stop: one after another, in one process.
 *
 *     $worker = new Worker(Queue::open('queue.db'));
 *     $worker->on('orders', 'email', function (array $order, Delivery $delivery): void { … });
 *     $worker->run();
 *
 * A delivery is acked when its handler returns and nacked when it throws; GiveUp and RetryAfter say more. With the
 * extension pcntl, SIGTERM and SIGINT stop it after the delivery that is being handled, and leases of 2 seconds or more
 * are extended while a handler runs. For more at a time run more processes, each of which opens the queue for itself.
 */
final class Worker
{
    /** How long a claim waits, in seconds, before the worker looks whether to stop. */
    private const WAIT = 0.5;

    /** @var array<string, callable(mixed, Delivery): mixed> by topic and subscriber */
    private array $handlers = [];
    /** @var list<array{string, string}> who is asked next comes first */
    private array $sources = [];
    /** @var list<Delivery> what was claimed and is not settled yet */
    private array $held = [];
    /** How long the held ones were leased, in seconds. */
    private float $leased = 0.0;
    private bool $isStopping = false;
    private readonly Report $report;

    /**
     * @param float|null $lease in seconds; default as each subscriber says
     * @param int $batch how many are claimed at a time
     */
    public function __construct(
        private readonly Queue $queue,
        private readonly ?LoggerInterface $logger = null,
        private readonly ?float $lease = null,
        private readonly int $batch = 1,
    ) {
        $this->report = new Report();
    }

    /**
     * Says what to do with the deliveries of a subscriber.
     *
     * @param callable(mixed, Delivery): mixed $handler gets the content of the message, and the delivery
     */
    public function on(string $topic, string $subscriber, callable $handler): self
    {
        $this->handlers["{$topic}/{$subscriber}"] = $handler;
        $this->sources[] = [$topic, $subscriber];
        return $this;
    }

    /** Lets run() return after the delivery that is being handled. A signal handler may call it. */
    public function stop(): void
    {
        $this->isStopping = true;
    }

    /**
     * Handles deliveries until stop() is called.
     *
     * @param int|null $messages return after so many
     * @param float|null $idle in seconds: return when nothing came for so long
     */
    public function run(?int $messages = null, ?float $idle = null): Report
    {
        if ($this->handlers === []) {
            throw new \LogicException('the worker has no handlers');
        }
        foreach ($this->sources as [$topic, $subscriber]) {
            // Fails now if there is none.
            $this->queue->subscriber($topic, $subscriber);
        }
        $signals = new Native\Signals($this->stop(...), $this->beat(...));
        try {
            $this->logger?->info('worker started', ['handlers' => array_keys($this->handlers)]);
            $this->work($signals, $messages, $idle);
        } finally {
            $signals->restore();
            $this->giveBack();
            $this->logger?->info('worker stopped', get_object_vars($this->report));
        }
        return $this->report;
    }

    private function work(Native\Signals $signals, ?int $messages, ?float $idle): void
    {
        $left = $messages ?? PHP_INT_MAX;
        $idleSince = microtime(true);
        while (!$this->isStopping && $left > 0) {
            $this->claim(min($this->batch, $left));
            if ($this->held === [] && $idle !== null && microtime(true) - $idleSince >= $idle) {
                return;
            }
            if ($this->held !== []) {
                $signals->beatWithin($this->leased);
                while (!$this->isStopping && $this->held !== []) {
                    $this->handle($this->held[0]);
                    array_shift($this->held);
                    --$left;
                }
                $signals->beatNoMore();
                $idleSince = microtime(true);
            }
        }
    }

    private function claim(int $limit): void
    {
        // Who was asked first is asked last the next time, so that nobody starves.
        $this->sources[] = array_shift($this->sources);
        try {
            $this->held = $this->queue->claimAny($this->sources, $limit, self::WAIT, $this->lease);
        } catch (BlockQueueException $error) {
            if ($error->retry !== Retry::Later) {
                throw $error;
            }
            $this->logger?->warning('claim failed: ' . $error->getMessage(), ['code' => $error->errorCode]);
            usleep(200_000);
        }
        if ($this->held !== []) {
            $this->leased = (float) $this->held[0]->leaseExpiresAt()->format('U.u') - microtime(true);
        }
    }

    private function handle(Delivery $delivery): void
    {
        $handler = $this->handlers["{$delivery->topic}/{$delivery->subscriber}"];
        $about = [
            'topic' => $delivery->topic,
            'subscriber' => $delivery->subscriber,
            'message_id' => $delivery->messageId(),
            'attempt' => $delivery->attempt,
        ];
        try {
            try {
                $handler($delivery->content(), $delivery);
                $delivery->ack();
                ++$this->report->acked;
            } catch (LeaseLostException | ShutdownException $error) {
                throw $error;
            } catch (RetryAfter $error) {
                ++$this->report->failed;
                $delivery->nack($error, delay: $error->delay);
            } catch (GiveUp $error) {
                ++$this->report->failed;
                $delivery->nack($error, giveUp: true);
                $this->logger?->error('given up: ' . $error->getMessage(), $about + ['exception' => $error]);
            } catch (\Throwable $error) {
                ++$this->report->failed;
                $delivery->nack($error);
                $this->logger?->warning('handler failed: ' . $error->getMessage(), $about + ['exception' => $error]);
            }
        } catch (LeaseLostException) {
            // Somebody else has it, or the handler has settled it by itself.
            ++$this->report->lost;
            $this->logger?->warning('lease lost', $about);
        }
    }

    private function beat(): void
    {
        if ($this->held === []) {
            return;
        }
        try {
            // A lease that is lost shows when its delivery is settled.
            $this->queue->extendMany($this->held, $this->leased);
        } catch (BlockQueueException $error) {
            $this->logger?->warning('heartbeat failed: ' . $error->getMessage(), ['code' => $error->errorCode]);
        }
    }

    private function giveBack(): void
    {
        if ($this->held !== []) {
            $this->queue->deferMany($this->held);
            $this->held = [];
        }
    }
}

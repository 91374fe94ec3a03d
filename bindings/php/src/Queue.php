<?php

declare(strict_types=1);

namespace BlockQueue;

use BlockQueue\Native\Library;
use BlockQueue\Native\Time;
use FFI;

/**
 * A queue in a file.
 *
 * A handle belongs to the process that opened it: after a fork the child gets ForkedException, and opens its own.
 * Durations are seconds. What the queue refuses throws a BlockQueueException, of the class that its code has.
 */
final class Queue
{
    use Queue\Topology;
    use Queue\Publishing;
    use Queue\Claiming;
    use Queue\Settling;
    use Queue\SettlingMany;
    use Queue\DeadLettering;
    use Queue\Scheduling;
    use Queue\Looking;

    private const VERBS = 'bq_queue_';
    /** Whether a batch may lie in one piece. */
    private const IS_PACKED = true;

    private readonly Library $library;
    private readonly FFI $ffi;
    private readonly FFI\CData $handle;
    /** Where functions store their errors. */
    private readonly FFI\CData $error;
    private bool $isDown = false;

    private function __construct(FFI\CData $handle)
    {
        $this->library = Library::get();
        $this->ffi = $this->library->ffi;
        $this->error = $this->library->error();
        $this->handle = $handle;
    }

    /**
     * Opens the queue in this file, and creates the file if there is none. `:memory:` is a queue that lives and dies
     * with the handle.
     *
     * @param int|null $payloadBytesMax largest payload of one message; default 1 MiB, at most 64 MiB
     * @param bool $mustExist do not create the file
     */
    public static function open(
        string $path,
        Durability $durability = Durability::Full,
        ?int $payloadBytesMax = null,
        bool $mustExist = false,
    ): self {
        $library = Library::get();
        $ffi = $library->ffi;
        $options = $ffi->new('bq_open_options');
        $options->size = FFI::sizeof($options);
        $options->durability = $durability->value;
        $options->payload_bytes_max = $payloadBytesMax ?? 0;
        $options->must_exist = $mustExist;
        $handle = $ffi->new('bq_queue *');
        $place = FFI::addr($handle);
        $library->check($ffi->bq_queue_open($path, strlen($path), FFI::addr($options), $place, $library->error()));
        return new self($handle);
    }

    /**
     * Makes a queue of a handle that the library gave.
     *
     * @internal
     */
    public static function adopt(FFI\CData $handle): self
    {
        return new self($handle);
    }

    /**
     * Finishes what was handed over, and closes the file. What is called later fails with ShutdownException; a second
     * shutdown does nothing.
     */
    public function shutdown(): void
    {
        if (!$this->isDown) {
            $this->check($this->ffi->bq_queue_shutdown($this->handle, $this->error));
            $this->isDown = true;
        }
    }

    public function __destruct()
    {
        // A queue that was not shut down is, and not waited for. In a child of a fork it is forgotten.
        $this->ffi->bq_queue_free($this->handle);
    }

    public function __clone()
    {
        throw new \LogicException('a queue cannot be cloned: open it again');
    }

    /** @return array<string, mixed> */
    public function __serialize(): array
    {
        throw new \LogicException('a queue cannot be serialized: open it again');
    }

    /**
     * A transaction on the queue's own connection: statements of the application and verbs of the queue.
     *
     * It is committed when the function returns, and rolled back when it throws. Other calls of the queue fail with
     * InTransactionException meanwhile: use the transaction's own methods.
     *
     * @template T
     * @param callable(Transaction): T $work
     * @param float|null $deadline in seconds: rolled back when it takes longer; default 5, at most 60
     * @return T
     */
    public function transaction(callable $work, ?float $deadline = null): mixed
    {
        $transaction = $this->begin($deadline);
        try {
            $answer = $work($transaction);
            $transaction->commit();
            return $answer;
        } finally {
            $transaction->rollBack();
        }
    }

    /** Begins a transaction that the caller commits. What is not committed is rolled back. */
    public function begin(?float $deadline = null): Transaction
    {
        $handle = $this->ffi->new('bq_transaction *');
        $this->check($this->ffi->bq_transaction_begin(
            $this->handle,
            Time::msOrDefault($deadline),
            true,
            FFI::addr($handle),
            $this->error,
        ));
        return new Transaction($handle);
    }

    /**
     * Writes a verified copy of the queue to a new file, while others use it.
     */
    public function backup(string $path): void
    {
        $this->check($this->ffi->bq_queue_backup($this->handle, $path, strlen($path), null, null, $this->error));
    }

    private function check(int $status): void
    {
        if ($status !== 0) {
            $this->library->check($status);
        }
    }

    /**
     * Calls a function that answers with JSON. Texts are passed with their lengths; null is no text.
     *
     * @return array<array-key, mixed>
     */
    private function ask(string $function, string|int|FFI\CData|null ...$arguments): array
    {
        $passed = self::passed($arguments);
        return Native\Json::decode($this->library->text(
            fn (FFI\CData $place): int => $this->ffi->{$function}($this->handle, ...$passed, ...[$place, $this->error]),
        ));
    }

    /** Calls a function that has no answer. */
    private function tell(string $function, string|int|FFI\CData|null ...$arguments): void
    {
        $this->check($this->ffi->{$function}($this->handle, ...self::passed($arguments), ...[$this->error]));
    }

    /** A number to pass on. The library takes 0 for its default, which nobody means here. */
    private static function size(int $limit): int
    {
        return $limit > 0 ? $limit : throw BlockQueueException::invalid('limit must be at least 1');
    }

    /**
     * @param array<array-key, string|int|FFI\CData|null> $arguments
     * @return list<string|int|FFI\CData|null>
     */
    private static function passed(array $arguments): array
    {
        $passed = [];
        foreach ($arguments as $argument) {
            $passed[] = $argument;
            if ($argument === null || is_string($argument)) {
                $passed[] = strlen($argument ?? '');
            }
        }
        return $passed;
    }
}

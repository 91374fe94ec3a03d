<?php

declare(strict_types=1);

namespace BlockQueue;

use BlockQueue\Native\Arena;
use BlockQueue\Native\Ids;
use BlockQueue\Native\Json;
use BlockQueue\Native\Library;
use FFI;

/**
 * Statements of the application and verbs of the queue that are on disk together or not at all.
 *
 * @phpstan-type Value null|bool|int|float|string|Bytes
 */
final class Transaction
{
    use Queue\Publishing;
    use Queue\Settling;

    private const VERBS = 'bq_transaction_';
    private const IS_PACKED = false;

    private readonly Library $library;
    private readonly FFI $ffi;
    private readonly FFI\CData $error;
    private bool $isOver = false;

    /** @internal */
    public function __construct(private readonly FFI\CData $handle)
    {
        $this->library = Library::get();
        $this->ffi = $this->library->ffi;
        $this->error = $this->library->error();
    }

    /**
     * Runs one statement. It may use any table but the queue's own, and may not begin or end transactions.
     *
     * @param list<null|bool|int|float|string|Bytes> $values of its parameters; texts are UTF-8
     * @return int how many rows it changed
     * @throws SqlFailedException the transaction goes on
     */
    public function execute(string $sql, array $values = []): int
    {
        $arena = new Arena($this->ffi);
        $changed = $this->ffi->new('uint64_t');
        $this->check($this->ffi->bq_transaction_execute(
            $this->handle,
            $sql,
            strlen($sql),
            self::values($arena, $values),
            count($values),
            FFI::addr($changed),
            $this->error,
        ));
        return $changed->cdata;
    }

    /**
     * Runs one statement and answers with its rows, by the names of their columns.
     *
     * @param list<null|bool|int|float|string|Bytes> $values of its parameters; texts are UTF-8
     * @return list<array<string, null|int|float|string>> bytes are strings, too
     * @throws SqlFailedException the transaction goes on
     */
    public function query(string $sql, array $values = []): array
    {
        $arena = new Arena($this->ffi);
        $array = self::values($arena, $values);
        $answer = Json::decode($this->library->text(fn (FFI\CData $place): int => $this->ffi->bq_transaction_query(
            $this->handle,
            $sql,
            strlen($sql),
            $array,
            count($values),
            $place,
            $this->error,
        )));
        $value = static fn (mixed $each): mixed => is_array($each) ? base64_decode($each['base64'], true) : $each;
        return array_map(
            static fn (array $row): array => array_combine($answer['columns'], array_map($value, $row)),
            $answer['rows'],
        );
    }

    /** Ends a message for every subscriber, whatever its state, also before its time. */
    public function cancelMessage(string $topic, string $messageId): void
    {
        $id = Ids::parse($messageId);
        $this->check($this->ffi->bq_transaction_message_cancel(
            $this->handle,
            $topic,
            strlen($topic),
            FFI::addr($id),
            $this->error,
        ));
    }

    /** All of it is on disk when this returns. */
    public function commit(): void
    {
        $this->isOver = true;
        $this->check($this->ffi->bq_transaction_commit($this->handle, $this->error));
    }

    /** Nothing of it has happened. What is over already stays as it is. */
    public function rollBack(): void
    {
        if (!$this->isOver) {
            $this->isOver = true;
            $this->ffi->bq_transaction_rollback($this->handle, null);
        }
    }

    public function __destruct()
    {
        $this->ffi->bq_transaction_free($this->handle);
    }

    private function check(int $status): void
    {
        if ($status !== 0) {
            $this->library->check($status);
        }
    }

    /** @param list<null|bool|int|float|string|Bytes> $values */
    private static function values(Arena $arena, array $values): FFI\CData
    {
        $array = $arena->make('bq_value[' . max(count($values), 1) . ']');
        $ffi = Library::get()->ffi;
        foreach (array_values($values) as $at => $value) {
            $place = $array[$at];
            switch (true) {
                case $value === null:
                    $place->kind = $ffi->BQ_VALUE_NULL;
                    break;
                case is_int($value) || is_bool($value):
                    $place->kind = $ffi->BQ_VALUE_INTEGER;
                    $place->integer = (int) $value;
                    break;
                case is_float($value):
                    $place->kind = $ffi->BQ_VALUE_REAL;
                    $place->real = $value;
                    break;
                case is_string($value):
                    $place->kind = $ffi->BQ_VALUE_TEXT;
                    $arena->fill($place->bytes, $value);
                    break;
                default:
                    $place->kind = $ffi->BQ_VALUE_BLOB;
                    $arena->fill($place->bytes, $value->bytes);
            }
        }
        return $array;
    }
}

<?php

declare(strict_types=1);

namespace BlockQueue\Native;

use FFI;

/**
 * Message ids and receipts: bytes in the library, text for people.
 *
 * @internal
 */
final class Ids
{
    public const ID_BYTES = 16;
    public const RECEIPT_BYTES = 52;
    private const RECEIPT_TEXT = 131;

    /** An id is a UUID; its text is the same everywhere. */
    public static function text(string $id): string
    {
        $hex = bin2hex($id);
        return substr($hex, 0, 8) . '-' . substr($hex, 8, 4) . '-' . substr($hex, 12, 4) . '-'
            . substr($hex, 16, 4) . '-' . substr($hex, 20);
    }

    public static function parse(string $text): FFI\CData
    {
        $library = Library::get();
        $id = $library->ffi->new('bq_id');
        $error = $library->error();
        $library->check($library->ffi->bq_id_parse($text, strlen($text), FFI::addr($id), $error));
        return $id;
    }

    public static function receiptText(string $receipt): string
    {
        $library = Library::get();
        $raw = $library->ffi->new('bq_receipt');
        FFI::memcpy($raw, $receipt, self::RECEIPT_BYTES);
        $buffer = $library->ffi->new('char[' . self::RECEIPT_TEXT . ']');
        $length = $library->ffi->new('size_t');
        $library->check($library->ffi->bq_receipt_text(
            FFI::addr($raw),
            $buffer,
            self::RECEIPT_TEXT,
            FFI::addr($length),
            $library->error(),
        ));
        return FFI::string($buffer, $length->cdata);
    }

    /** The receipt as the library has it. */
    public static function parseReceipt(string $text): string
    {
        $library = Library::get();
        $raw = $library->ffi->new('bq_receipt');
        $status = $library->ffi->bq_receipt_parse($text, strlen($text), FFI::addr($raw), $library->error());
        $library->check($status);
        return FFI::string(FFI::addr($raw), self::RECEIPT_BYTES);
    }
}

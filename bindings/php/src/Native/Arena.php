<?php

declare(strict_types=1);

namespace BlockQueue\Native;

use FFI;

/**
 * Texts and structures that must stay where they are while a function reads them.
 *
 * @internal
 */
final class Arena
{
    /** @var list<FFI\CData> */
    private array $held = [];

    public function __construct(private readonly FFI $ffi)
    {
    }

    /** Makes a structure, or an array of them, that lives as long as the arena. */
    public function make(string $type): FFI\CData
    {
        return $this->held[] = $this->ffi->new($type);
    }

    /** Points a bq_slice to a text; null leaves it as it is: none at all. */
    public function fill(FFI\CData $slice, ?string $text): void
    {
        if ($text === null) {
            return;
        }
        $length = strlen($text);
        // An empty text is not the same as none.
        $data = $this->make('char[' . max($length, 1) . ']');
        FFI::memcpy($data, $text, $length);
        $slice->data = FFI::addr($data[0]);
        $slice->len = $length;
    }
}

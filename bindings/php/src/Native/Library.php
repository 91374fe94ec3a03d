<?php

declare(strict_types=1);

namespace BlockQueue\Native;

use BlockQueue\BlockQueueException;
use BlockQueue\LibraryException;
use FFI;

/**
 * The native library of this process: finds it, loads it once, and turns what it refuses into exceptions.
 *
 * Invariant: there is one for the process, since what one interface allocates another cannot pass on.
 *
 * @internal
 */
final class Library
{
    /** The name under which a preloaded interface is found. */
    private const SCOPE = 'BLOCKQUEUE';
    /** The version of the ABI that the header describes. */
    private const ABI = 1;

    private static ?self $loaded = null;

    /** Where a function stores its error. */
    private readonly FFI\CData $error;
    private readonly FFI\CData $errorPlace;
    /** Where a function stores a text. */
    private readonly FFI\CData $text;
    private readonly FFI\CData $textPlace;

    private function __construct(public readonly FFI $ffi)
    {
        $this->error = $ffi->new('bq_error *');
        $this->errorPlace = FFI::addr($this->error);
        $this->text = $ffi->new('bq_text *');
        $this->textPlace = FFI::addr($this->text);
        $this->check($ffi->bq_abi_check(self::ABI, $this->errorPlace));
    }

    /** @throws LibraryException */
    public static function get(): self
    {
        return self::$loaded ??= new self(self::preloaded() ?? self::load());
    }

    /** The version of the native library. */
    public function version(): string
    {
        return $this->ffi->bq_version();
    }

    /** Passed as the last argument of each function. */
    public function error(): FFI\CData
    {
        return $this->errorPlace;
    }

    /** @throws BlockQueueException */
    public function check(int $status): void
    {
        if ($status !== 0) {
            throw $this->taken($status);
        }
    }

    /** The exception of a status that came without an error of its own. */
    public function refused(int $status): BlockQueueException
    {
        return BlockQueueException::of($status, $this->code($status), $this->retry($status));
    }

    /** The exception of an error, which ends here. */
    public function exception(int $status, FFI\CData $error): BlockQueueException
    {
        $detail = $this->ffi->bq_error_detail($error, null);
        $index = $this->ffi->bq_error_index($error);
        $this->ffi->bq_error_free($error);
        $index = $index < 0 ? null : $index;
        return BlockQueueException::of($status, $this->code($status), $this->retry($status), $detail, $index);
    }

    /**
     * The text that a function stored.
     *
     * @param \Closure(FFI\CData): int $call is given the place for it
     */
    public function text(\Closure $call): string
    {
        $this->check($call($this->textPlace));
        return $this->take($this->text);
    }

    /** A text of the library, which ends here. */
    public function take(FFI\CData $text): string
    {
        // JSON has no zero in it: it is a string already.
        $string = $this->ffi->bq_text_data($text, null);
        $this->ffi->bq_text_free($text);
        return $string;
    }

    private function taken(int $status): BlockQueueException
    {
        if (FFI::isNull($this->error)) {
            return $this->refused($status);
        }
        return $this->exception($status, $this->error);
    }

    private function code(int $status): string
    {
        return $this->ffi->bq_status_code($status) ?? 'unknown';
    }

    private function retry(int $status): string
    {
        return ['never', 'later', 'reconcile'][$this->ffi->bq_status_retry($status)] ?? 'never';
    }

    /**
     * For `opcache.preload`: makes the interface before the first request, and for all of them. PHP refuses that where it
     * changes its user meanwhile; there `ffi.preload` has made it from what header() gives.
     */
    public static function preload(): void
    {
        if (self::preloaded() !== null || ini_get('opcache.preload_user') !== '') {
            return;
        }
        $file = tempnam(sys_get_temp_dir(), 'blockqueue');
        if ($file === false) {
            throw new LibraryException('no temporary file could be made for the header');
        }
        try {
            file_put_contents($file, self::scope());
            FFI::load($file);
        } finally {
            unlink($file);
        }
    }

    /** What `ffi.preload` reads: the declarations, the name of the interface, and where the library is. */
    public static function scope(): string
    {
        return '#define FFI_SCOPE "' . self::SCOPE . "\"\n#define FFI_LIB \"" . self::path() . "\"\n" . self::header();
    }

    private static function preloaded(): ?FFI
    {
        if (!class_exists(FFI::class, false)) {
            throw new LibraryException('the FFI extension is missing: install it, or enable it in php.ini');
        }
        try {
            return FFI::scope(self::SCOPE);
        } catch (FFI\Exception) {
            // It was not preloaded, or FFI may not be used here, which loading tells.
            return null;
        }
    }

    private static function load(): FFI
    {
        try {
            return FFI::cdef(self::header(), self::path());
        } catch (FFI\Exception $cause) {
            $advice = ini_get('ffi.enable') === '1' || PHP_SAPI === 'cli'
                ? 'the native library could not be loaded: build or install libblockqueue, '
                    . 'or name it in the environment variable BLOCKQUEUE_LIBRARY'
                : 'FFI is off for this script: set ffi.enable=true in php.ini, '
                    . 'or name preload.php of this package in opcache.preload';
            throw new LibraryException("{$advice} ({$cause->getMessage()})", 0, $cause);
        }
    }

    private static function header(): string
    {
        $root = dirname(__DIR__, 2);
        $header = file_get_contents("{$root}/include/blockqueue_plain.h");
        if ($header === false) {
            throw new LibraryException('the header of the native library is missing from the package');
        }
        // PHP reads a field `const char *` as a text up to its first zero; these are bytes with a length.
        $slice = "char *data;\n  size_t len;\n} bq_slice;";
        $header = str_replace("const {$slice}", $slice, $header);
        // Time that tests move by hand, in libraries that are built for it.
        $test = getenv('BLOCKQUEUE_TEST_HEADER');
        return $test === false ? $header : $header . file_get_contents($test);
    }

    /** What the environment names; what came with the package; what the system has. */
    private static function path(): string
    {
        $named = getenv('BLOCKQUEUE_LIBRARY');
        if ($named !== false && $named !== '') {
            return $named;
        }
        $suffix = PHP_OS_FAMILY === 'Darwin' ? 'dylib' : 'so';
        $machine = strtolower(PHP_OS_FAMILY) . '-' . php_uname('m');
        $bundled = dirname(__DIR__, 2) . "/lib/{$machine}/libblockqueue.{$suffix}";
        if (is_file($bundled)) {
            return $bundled;
        }
        return PHP_OS_FAMILY === 'Darwin' ? 'libblockqueue.dylib' : 'libblockqueue.so.1';
    }
}

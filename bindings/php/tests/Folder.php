<?php

declare(strict_types=1);

namespace BlockQueue\Tests;

/** A folder that goes with the test. */
final class Folder
{
    public readonly string $path;

    public function __construct()
    {
        $this->path = sys_get_temp_dir() . '/blockqueue-' . bin2hex(random_bytes(8));
        mkdir($this->path);
    }

    public function __destruct()
    {
        foreach (glob("{$this->path}/{,.}*", GLOB_BRACE) ?: [] as $file) {
            if (is_file($file)) {
                unlink($file);
            }
        }
        @rmdir($this->path);
    }
}

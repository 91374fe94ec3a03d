<?php

// For opcache.preload: the classes of this package, and the native library, are there before the first request.
// A preload script of your own may require this file. The README says what belongs into php.ini.

declare(strict_types=1);

(static function (): void {
    $files = new RegexIterator(
        new RecursiveIteratorIterator(new RecursiveDirectoryIterator(__DIR__ . '/src', FilesystemIterator::SKIP_DOTS)),
        '/\.php$/',
    );
    foreach ($files as $file) {
        // What needs another package is left to the autoloader.
        if (!str_contains($file->getPathname(), '/Symfony/')) {
            opcache_compile_file($file->getPathname());
        }
    }
    require_once __DIR__ . '/src/LibraryException.php';
    require_once __DIR__ . '/src/Native/Library.php';
    BlockQueue\Native\Library::preload();
})();

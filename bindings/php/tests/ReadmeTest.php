<?php

declare(strict_types=1);

namespace BlockQueue\Tests;

use PHPUnit\Framework\TestCase;

/** The examples of the README run as they are written. */
final class ReadmeTest extends TestCase
{
    public function testTheQuickStartRuns(): void
    {
        $folder = new Folder();
        $readme = (string) file_get_contents(dirname(__DIR__) . '/README.md');
        self::assertSame(1, preg_match('/```php\n(.*?)```\n.*?```text\n(.*?)```/s', $readme, $parts));
        self::assertLessThan(20, substr_count($parts[1], "\n"));
        $autoload = dirname(__DIR__) . '/vendor/autoload.php';
        $code = str_replace("'vendor/autoload.php'", var_export($autoload, true), $parts[1]);
        file_put_contents("{$folder->path}/quick.php", $code);
        $output = [];
        exec("cd {$folder->path} && " . PHP_BINARY . ' quick.php 2>&1', $output, $status);
        self::assertSame([0, trim($parts[2])], [$status, implode("\n", $output)]);
    }

    public function testTheTableOfErrorsIsComplete(): void
    {
        $readme = (string) file_get_contents(dirname(__DIR__) . '/README.md');
        $golden = (string) file_get_contents(dirname(__DIR__, 3) . '/tests/golden/error_codes.json');
        foreach (json_decode($golden, true, 512, JSON_THROW_ON_ERROR) as $code) {
            $class = str_replace('_', '', ucwords($code['code'], '_')) . 'Exception';
            self::assertStringContainsString("| `{$class}` | `{$code['code']}` | {$code['retry']} |", $readme);
        }
    }
}

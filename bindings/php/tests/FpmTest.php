<?php

declare(strict_types=1);

namespace BlockQueue\Tests;

use PHPUnit\Framework\TestCase;

/** Behind a web server, with the real FPM: with FFI on, preloaded, and off. */
final class FpmTest extends TestCase
{
    private Folder $folder;
    /** @var resource|null */
    private $server = null;

    protected function setUp(): void
    {
        $this->folder = new Folder();
        $autoload = var_export(dirname(__DIR__) . '/vendor/autoload.php', true);
        file_put_contents("{$this->folder->path}/index.php", <<<PHP
            <?php
            require {$autoload};
            try {
                \$queue = BlockQueue\\Queue::open('{$this->folder->path}/queue.db');
                try {
                    \$queue->createTopic('t', ['s']);
                } catch (BlockQueue\\TopicExistsException) {
                }
                \$queue->publish('t', 'from a request');
                [\$delivery] = \$queue->claim('t', 's');
                \$delivery->ack();
                echo 'answer: ', \$delivery->payload;
            } catch (BlockQueue\\LibraryException \$error) {
                echo 'answer: ', \$error->getMessage();
            }
            PHP);
    }

    protected function tearDown(): void
    {
        if ($this->server !== null) {
            // One that is killed leaves its workers behind.
            proc_terminate($this->server, SIGTERM);
            proc_close($this->server);
        }
    }

    public function testItWorksWithFfiOn(): void
    {
        $this->start(['ffi.enable' => 'true']);
        self::assertSame('from a request', $this->request());
        self::assertSame('from a request', $this->request());
    }

    public function testItWorksPreloaded(): void
    {
        $header = "{$this->folder->path}/blockqueue.h";
        exec(PHP_BINARY . ' ' . dirname(__DIR__) . "/bin/blockqueue-header > {$header}", $output, $status);
        self::assertSame(0, $status);
        $this->start([
            'ffi.enable' => 'preload',
            'ffi.preload' => $header,
            'opcache.enable' => '1',
            'opcache.preload' => dirname(__DIR__) . '/preload.php',
            'opcache.preload_user' => posix_getpwuid(posix_geteuid())['name'] ?? 'root',
        ]);
        self::assertSame('from a request', $this->request());
        self::assertSame('from a request', $this->request());
    }

    public function testItSaysWhatToDoWhenFfiIsOff(): void
    {
        $this->start(['ffi.enable' => 'preload']);
        $answer = $this->request();
        self::assertStringContainsString('ffi.enable=true', $answer);
        self::assertStringContainsString('preload.php', $answer);
    }

    /** @param array<string, string> $settings */
    private function start(array $settings): void
    {
        $configuration = "{$this->folder->path}/fpm.conf";
        $environment = '';
        foreach (['BLOCKQUEUE_LIBRARY', 'BLOCKQUEUE_TEST_HEADER'] as $name) {
            $environment .= "env[{$name}] = " . getenv($name) . "\n";
        }
        file_put_contents($configuration, <<<INI
            [global]
            error_log = {$this->folder->path}/fpm.log
            [www]
            user = root
            listen = {$this->folder->path}/fpm.sock
            pm = static
            pm.max_children = 1
            {$environment}
            INI);
        $command = [self::fpm(), '-R', '-F', '-y', $configuration];
        foreach ($settings as $name => $value) {
            array_push($command, '-d', "{$name}={$value}");
        }
        $server = proc_open($command, [1 => ['file', '/dev/null', 'w'], 2 => ['file', '/dev/null', 'w']], $pipes);
        self::assertNotFalse($server);
        $this->server = $server;
        $deadline = microtime(true) + 30;
        while (!file_exists("{$this->folder->path}/fpm.sock")) {
            self::assertTrue(proc_get_status($server)['running'] && microtime(true) < $deadline, $this->log());
            usleep(10_000);
        }
    }

    private function request(): string
    {
        $pipes = [];
        $client = proc_open(
            ['cgi-fcgi', '-bind', '-connect', "{$this->folder->path}/fpm.sock"],
            [0 => ['file', '/dev/null', 'r'], 1 => ['pipe', 'w'], 2 => ['file', '/dev/null', 'w']],
            $pipes,
            null,
            [
                'PATH' => (string) getenv('PATH'),
                'REQUEST_METHOD' => 'GET',
                'SCRIPT_NAME' => '/index.php',
                'SCRIPT_FILENAME' => "{$this->folder->path}/index.php",
            ],
        );
        self::assertNotFalse($client);
        $answer = (string) stream_get_contents($pipes[1]);
        proc_close($client);
        self::assertMatchesRegularExpression('/answer: /', $answer, $this->log());
        return explode('answer: ', $answer, 2)[1];
    }

    private function log(): string
    {
        return (string) @file_get_contents("{$this->folder->path}/fpm.log");
    }

    private static function fpm(): string
    {
        foreach ([PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION, ''] as $version) {
            foreach (['/usr/sbin', '/usr/local/sbin'] as $folder) {
                if (is_executable("{$folder}/php-fpm{$version}")) {
                    return "{$folder}/php-fpm{$version}";
                }
            }
        }
        self::fail('php-fpm is missing');
    }
}

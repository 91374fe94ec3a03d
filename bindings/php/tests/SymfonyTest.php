<?php

declare(strict_types=1);

namespace BlockQueue\Tests;

use BlockQueue\Queue;
use BlockQueue\Symfony\TransportFactory;
use PHPUnit\Framework\TestCase;
use Symfony\Component\Messenger\Envelope;
use Symfony\Component\Messenger\Exception\InvalidArgumentException;
use Symfony\Component\Messenger\Exception\MessageDecodingFailedException;
use Symfony\Component\Messenger\Exception\TransportException;
use Symfony\Component\Messenger\Handler\HandlersLocator;
use Symfony\Component\Messenger\MessageBus;
use Symfony\Component\Messenger\Middleware\HandleMessageMiddleware;
use Symfony\Component\Messenger\Stamp\DelayStamp;
use Symfony\Component\Messenger\Transport\Receiver\MessageCountAwareInterface;
use Symfony\Component\Messenger\Transport\Serialization\PhpSerializer;
use Symfony\Component\Messenger\Transport\TransportInterface;
use Symfony\Component\Messenger\Worker;
use Symfony\Component\Messenger\EventListener\StopWorkerOnMessageLimitListener;
use Symfony\Component\EventDispatcher\EventDispatcher;

require_once '/usr/share/php/Symfony/Component/Messenger/autoload.php';
require_once '/usr/share/php/Symfony/Component/EventDispatcher/autoload.php';

/** The transport with the real Symfony Messenger. */
final class SymfonyTest extends TestCase
{
    private Folder $folder;
    private TransportInterface $transport;

    protected function setUp(): void
    {
        $this->folder = new Folder();
        $this->transport = $this->transport('topic=orders&subscriber=mail');
    }

    private function transport(string $query): TransportInterface
    {
        $factory = new TransportFactory();
        $address = "blockqueue://{$this->folder->path}/queue.db?{$query}";
        self::assertTrue($factory->supports($address, []));
        return $factory->createTransport($address, ['transport_name' => 'async'], new PhpSerializer());
    }

    public function testAWorkerHandlesWhatWasSent(): void
    {
        $sent = $this->transport->send(new Envelope(new \ArrayObject(['id' => 1])));
        $this->transport->send(new Envelope(new \ArrayObject(['id' => 2])));
        self::assertNotNull($sent->last(\Symfony\Component\Messenger\Stamp\TransportMessageIdStamp::class));
        self::assertInstanceOf(MessageCountAwareInterface::class, $this->transport);
        self::assertSame(2, $this->transport->getMessageCount());
        $seen = [];
        $bus = new MessageBus([new HandleMessageMiddleware(new HandlersLocator([
            \ArrayObject::class => [static function (\ArrayObject $message) use (&$seen): void {
                $seen[] = $message['id'];
            }],
        ]))]);
        $events = new EventDispatcher();
        $events->addSubscriber(new StopWorkerOnMessageLimitListener(2));
        (new Worker(['async' => $this->transport], $bus, $events))->run(['sleep' => 1000]);
        self::assertSame([1, 2], $seen);
        self::assertSame([], [...$this->transport->get()]);
    }

    public function testADelayHoldsAMessageBack(): void
    {
        $this->transport->send(new Envelope(new \ArrayObject(), [new DelayStamp(3_600_000)]));
        self::assertSame([], [...$this->transport->get()]);
        self::assertSame(1, Queue::open("{$this->folder->path}/queue.db")->topicStats('orders')->delayedCount);
    }

    public function testWhatIsRejectedIsDone(): void
    {
        $this->transport->send(new Envelope(new \ArrayObject()));
        [$envelope] = [...$this->transport->get()];
        $this->transport->reject($envelope);
        $this->expectException(TransportException::class);
        $this->transport->ack($envelope);
    }

    public function testWhatNobodyCanReadBecomesADeadLetter(): void
    {
        $queue = Queue::open("{$this->folder->path}/queue.db");
        $queue->publish('orders', 'not an envelope');
        try {
            [...$this->transport->get()];
            self::fail('it was read');
        } catch (MessageDecodingFailedException) {
            self::assertCount(1, $queue->deadLetters('orders', 'mail'));
        }
    }

    public function testASecondTransportFindsAllThere(): void
    {
        $this->transport('topic=orders&subscriber=other');
        $this->transport('topic=orders&subscriber=mail');
        $this->expectException(InvalidArgumentException::class);
        $this->transport('topik=orders');
    }
}

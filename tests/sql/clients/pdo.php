<?php

// PHP Data Objects with the SQLite driver.

declare(strict_types=1);

$db = new PDO('sqlite:' . $argv[1], null, null, [
    PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
    PDO::ATTR_TIMEOUT => 10,
]);

$insert = function (string $sql, array $values) use ($db): array {
    $statement = $db->prepare($sql);
    $statement->execute($values);
    return ['rows' => $statement->rowCount()];
};
$run = fn (string $sql): array => ['rows' => $db->exec($sql)];

while (($line = fgets(STDIN)) !== false) {
    $request = json_decode($line, true, 512, JSON_THROW_ON_ERROR);
    try {
        $answer = match ($request['do']) {
            // beginTransaction() would begin DEFERRED.
            'begin' => $run('BEGIN IMMEDIATE'),
            'begin_deferred' => $run('BEGIN DEFERRED'),
            'app' => $insert('INSERT INTO app (x) VALUES (?)', [$request['x']]),
            'read' => ['rows' => (int) $db->query('SELECT count(*) FROM app')->fetchColumn()],
            'publish' => $insert(
                'INSERT INTO blockqueue_publish (topic, payload) VALUES (?, ?)',
                [$request['topic'], $request['payload']],
            ),
            'ack' => $insert('INSERT INTO blockqueue_ack (receipt) VALUES (?)', [$request['receipt']]),
            'nack' => $insert(
                'INSERT INTO blockqueue_nack (receipt, error) VALUES (?, ?)',
                [$request['receipt'], $request['error']],
            ),
            'commit' => $run('COMMIT'),
            'rollback' => $run('ROLLBACK'),
            'version' => ['version' => $db->getAttribute(PDO::ATTR_SERVER_VERSION)],
        };
    } catch (PDOException $error) {
        $answer = ['error' => $error->getMessage()];
    }
    echo json_encode($answer, JSON_THROW_ON_ERROR), "\n";
}

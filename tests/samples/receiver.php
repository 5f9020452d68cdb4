<?php
// Receives webhooks in a web server: a form with 'json' and perhaps a picture, or JSON alone.
$text = $_POST['json'] ?? file_get_contents('php://input');
$pictures = [];
foreach ($_FILES as $name => $file) {
    $pictures[$name] = [$file['name'], $file['type'], $file['size']];
}
$line = json_encode(['message' => json_decode($text), 'pictures' => (object) $pictures]);
file_put_contents('php://stdout', $line . "\n");
echo 'OK';

<?php
// How many calls were made in this period.
$curl = curl_init();
curl_setopt_array($curl, [
    CURLOPT_URL => getenv('HOST') . '/v1/statistics/',
    CURLOPT_RETURNTRANSFER => true,
    CURLOPT_HTTPHEADER => ['Authorization: Token ' . getenv('TOKEN')],
]);
echo curl_exec($curl);
curl_close($curl);

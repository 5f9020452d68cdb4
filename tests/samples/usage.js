// How many calls were made in this period.
fetch(`${process.env.HOST}/v1/statistics/`, {
  headers: { Authorization: `Token ${process.env.TOKEN}` },
})
  .then((response) => response.json())
  .then((answer) => console.log(JSON.stringify(answer)));

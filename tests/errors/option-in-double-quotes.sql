CREATE TABLE orders (id STRING) WITH (
  "connector" = "kafka"
);

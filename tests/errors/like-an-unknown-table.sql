CREATE TABLE late_orders WITH ('topic' = 'late-orders') LIKE orders;

CREATE FUNCTION half AS 'com.example.Half';

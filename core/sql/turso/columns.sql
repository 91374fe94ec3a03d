-- On the mirror: the columns of table ?1, in their order.
SELECT name, type, pk FROM pragma_table_info(?1) ORDER BY cid;

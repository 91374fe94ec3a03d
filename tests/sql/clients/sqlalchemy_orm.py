"""SQLAlchemy: its ORM for the application's table and for acks, insert() for messages."""

import sqlite3
import sys

from sqlalchemy import Column, LargeBinary, MetaData, Table, Text, create_engine, event, func, insert, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

import protocol

engine = create_engine(f"sqlite:///{sys.argv[1]}", connect_args={"timeout": 10})
mode = "IMMEDIATE"


@event.listens_for(engine, "connect")
def leave_transactions_to_us(connection, _record):
    connection.isolation_level = None


@event.listens_for(engine, "begin")
def begin_in_our_mode(connection):
    connection.exec_driver_sql(f"BEGIN {mode}")


class Base(DeclarativeBase):
    pass


class App(Base):
    __tablename__ = "app"
    x: Mapped[str] = mapped_column(primary_key=True)


class Ack(Base):
    __tablename__ = "blockqueue_ack"
    receipt: Mapped[str] = mapped_column(primary_key=True)


class Nack(Base):
    __tablename__ = "blockqueue_nack"
    receipt: Mapped[str] = mapped_column(primary_key=True)
    error: Mapped[str]


publish = Table("blockqueue_publish", MetaData(), Column("topic", Text), Column("payload", LargeBinary))
session = Session(engine)


def begin(how):
    global mode
    mode = how
    # The connection is taken, and BEGIN sent, now and not with the first statement.
    session.connection()


def add(row):
    session.add(row)
    try:
        session.flush()
    except SQLAlchemyError:
        # The session has rolled back: it undoes a failed flush as a whole.
        session.rollback()
        raise


def end(verb):
    verb()
    session.expunge_all()


protocol.serve(
    {
        "begin": lambda: begin("IMMEDIATE"),
        "begin_deferred": lambda: begin("DEFERRED"),
        "app": lambda x: add(App(x=x)),
        "read": lambda: {"rows": session.scalar(select(func.count()).select_from(App))},
        "publish": lambda topic, payload: {
            "rows": session.execute(insert(publish), {"topic": topic, "payload": payload.encode()}).rowcount
        },
        "ack": lambda receipt: add(Ack(receipt=receipt)),
        "nack": lambda receipt, error: add(Nack(receipt=receipt, error=error)),
        "commit": lambda: end(session.commit),
        "rollback": lambda: end(session.rollback),
        "version": lambda: {"version": sqlite3.sqlite_version},
    },
    SQLAlchemyError,
)

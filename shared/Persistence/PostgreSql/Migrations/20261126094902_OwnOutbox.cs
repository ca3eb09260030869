using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Platform.Persistence.PostgreSql.Migrations
{
    /// <inheritdoc />
    public partial class OwnOutbox : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "lease_until",
                table: "outbox_messages");

            migrationBuilder.AlterTable(
                name: "outbox_messages")
                .Annotation("Npgsql:StorageParameter:autovacuum_vacuum_cost_delay", 0)
                .Annotation("Npgsql:StorageParameter:autovacuum_vacuum_scale_factor", 0)
                .Annotation("Npgsql:StorageParameter:autovacuum_vacuum_threshold", 5000);

            migrationBuilder.AlterTable(
                name: "heavy_tasks")
                .Annotation("Npgsql:StorageParameter:autovacuum_vacuum_cost_delay", 0)
                .Annotation("Npgsql:StorageParameter:autovacuum_vacuum_scale_factor", 0.01)
                .Annotation("Npgsql:StorageParameter:autovacuum_vacuum_threshold", 5000);

            migrationBuilder.AddColumn<DateTime>(
                name: "due_at",
                table: "outbox_messages",
                type: "timestamp with time zone",
                nullable: false,
                defaultValueSql: "clock_timestamp()");

            migrationBuilder.AddColumn<string>(
                name: "routing_key",
                table: "outbox_messages",
                type: "text",
                nullable: true);

            // It used to be that a postponed message kept its owner.
            migrationBuilder.Sql("UPDATE outbox_messages SET lease_owner = NULL;");
            migrationBuilder.Sql("UPDATE outbox_messages SET due_at = timestamptz '9999-12-31 00:00:00Z' WHERE error IS NOT NULL;");

            migrationBuilder.CreateIndex(
                name: "ix_outbox_messages_due_at",
                table: "outbox_messages",
                column: "due_at",
                filter: "lease_owner IS NULL");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_outbox_messages_due_at",
                table: "outbox_messages");

            migrationBuilder.DropColumn(
                name: "due_at",
                table: "outbox_messages");

            migrationBuilder.DropColumn(
                name: "routing_key",
                table: "outbox_messages");

            migrationBuilder.AlterTable(
                name: "outbox_messages")
                .OldAnnotation("Npgsql:StorageParameter:autovacuum_vacuum_cost_delay", 0)
                .OldAnnotation("Npgsql:StorageParameter:autovacuum_vacuum_scale_factor", 0)
                .OldAnnotation("Npgsql:StorageParameter:autovacuum_vacuum_threshold", 5000);

            migrationBuilder.AlterTable(
                name: "heavy_tasks")
                .OldAnnotation("Npgsql:StorageParameter:autovacuum_vacuum_cost_delay", 0)
                .OldAnnotation("Npgsql:StorageParameter:autovacuum_vacuum_scale_factor", 0.01)
                .OldAnnotation("Npgsql:StorageParameter:autovacuum_vacuum_threshold", 5000);

            migrationBuilder.AddColumn<DateTime>(
                name: "lease_until",
                table: "outbox_messages",
                type: "timestamp with time zone",
                nullable: false,
                defaultValueSql: "clock_timestamp() + interval '30 seconds'");
        }
    }
}

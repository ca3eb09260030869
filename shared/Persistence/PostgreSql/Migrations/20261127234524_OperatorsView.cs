using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Platform.Persistence.PostgreSql.Migrations
{
    /// <inheritdoc />
    public partial class OperatorsView : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<DateTime>(
                name: "drained_at",
                table: "instances",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "kind_slots",
                table: "instances",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "submitted_by",
                table: "heavy_tasks",
                type: "character varying(200)",
                maxLength: 200,
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "trace_id",
                table: "heavy_tasks",
                type: "character varying(32)",
                maxLength: 32,
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "slots",
                table: "heavy_task_kinds",
                type: "integer",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "heavy_task_log_lines",
                columns: table => new
                {
                    task_id = table.Column<Guid>(type: "uuid", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    number = table.Column<int>(type: "integer", nullable: false),
                    at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    level = table.Column<string>(type: "character varying(11)", maxLength: 11, nullable: false),
                    text = table.Column<string>(type: "character varying(1000)", maxLength: 1000, nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_heavy_task_log_lines", x => new { x.task_id, x.attempt, x.number });
                });

            migrationBuilder.CreateTable(
                name: "heavy_task_tags",
                columns: table => new
                {
                    task_id = table.Column<Guid>(type: "uuid", nullable: false),
                    tag = table.Column<string>(type: "character varying(64)", maxLength: 64, nullable: false, collation: "C"),
                    tenant_tag = table.Column<string>(type: "character varying(129)", maxLength: 129, nullable: true, collation: "C")
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_heavy_task_tags", x => new { x.task_id, x.tag });
                });

            migrationBuilder.CreateIndex(
                name: "ix_heavy_task_log_lines_at",
                table: "heavy_task_log_lines",
                column: "at");

            migrationBuilder.CreateIndex(
                name: "ix_heavy_task_tags_tag_task_id",
                table: "heavy_task_tags",
                columns: new[] { "tag", "task_id" });

            migrationBuilder.CreateIndex(
                name: "ix_heavy_task_tags_tenant_tag_task_id",
                table: "heavy_task_tags",
                columns: new[] { "tenant_tag", "task_id" },
                filter: "tenant_tag IS NOT NULL");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "heavy_task_log_lines");

            migrationBuilder.DropTable(
                name: "heavy_task_tags");

            migrationBuilder.DropColumn(
                name: "drained_at",
                table: "instances");

            migrationBuilder.DropColumn(
                name: "kind_slots",
                table: "instances");

            migrationBuilder.DropColumn(
                name: "submitted_by",
                table: "heavy_tasks");

            migrationBuilder.DropColumn(
                name: "trace_id",
                table: "heavy_tasks");

            migrationBuilder.DropColumn(
                name: "slots",
                table: "heavy_task_kinds");
        }
    }
}
